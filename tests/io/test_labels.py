import numpy as np
import pytest

from ratedb.io.labels import quantum_numbers

ROTOR = np.array([1.0, 3.0, 5.0, 7.0])


@pytest.mark.parametrize(
    "labels", [("0", "1", "2", "3"), ('" 00 "', '" 01 "', '" 02 "', '" 03 "'), ("00", "01", "02", "03")]
)
@pytest.mark.parametrize("factor", [1.0, 3.0, 16.0])
def test_one_integer_is_j_in_v_0_whatever_the_common_factor(labels: tuple[str, ...], factor: float) -> None:
    found = quantum_numbers(labels, "J", factor * ROTOR)
    assert found is not None
    assert found[0].tolist() == [0, 0, 0, 0]
    assert found[1].tolist() == [0, 1, 2, 3]


def test_one_integer_is_nothing_where_the_weights_do_not_fit() -> None:
    assert quantum_numbers(("0", "1", "2", "3"), "J", [1.0, 9.0, 5.0, 21.0]) is None
    assert quantum_numbers(("1", "2", "3", "4"), "J", ROTOR) is None


@pytest.mark.parametrize("separator", ["_", ",", " ", ", "])
@pytest.mark.parametrize("header", ["QNUM(v,J)", "LEVEL + ENERGIES(cm^-1) + WEIGHT + J + V", "v_J"])
def test_two_integers_are_v_and_j_where_the_header_names_v(separator: str, header: str) -> None:
    labels = [f"{v}{separator}{j}" for v, j in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    found = quantum_numbers(labels, header, [1, 3, 1, 3])
    assert found is not None
    assert found[0].tolist() == [0, 0, 1, 1]
    assert found[1].tolist() == [0, 1, 0, 1]


def test_the_weights_say_which_token_is_j_and_not_the_header() -> None:
    found = quantum_numbers(["0_0", "1_0", "2_0", "0_1"], "V + J", [16, 48, 80, 16])
    assert found is not None
    assert found[1].tolist() == [0, 1, 2, 0]
    assert found[0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("labels", "header", "weights"),
    [
        (["0_0", "0_1", "1_0"], "QNUM(N_J)", [1, 3, 1]),
        (["0_0", "0_1", "1_0"], "J_F (v=0)", [1, 3, 1]),
        (["0_0", "0_1", "1_0"], "inv-sym LEVEL", [1, 3, 1]),
        (["0.5", "1.5"], "J", [2, 4]),
        (["0_0.5", "1_0.5"], "v N_J", [2, 2]),
        (["0_0_0", "1_0_1"], "v J_Ka_Kc", [1, 3]),
        (["0", "0_1"], "v_J", [1, 3]),
        (["0_1", "0_1"], "v_J", [5, 7]),
        (["0_1", "1_0"], "v_J", [1, 1]),
        (["-1", "0"], "J", [1, 1]),
        (["5"], "J", [11]),
        ([], "J", []),
        (["", "1"], "J", [1, 3]),
        (["0.2", "0"], "J", [1, 1]),
    ],
)
def test_what_is_not_proved_is_not_guessed(labels: list[str], header: str, weights: list[float]) -> None:
    assert quantum_numbers(labels, header, weights) is None
