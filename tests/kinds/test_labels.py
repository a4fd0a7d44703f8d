import numpy as np
import pytest

from ratedb.kinds.labels import assigned_labels, named_numbers, quantum_numbers

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


# -- named numbers of other molecules ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "header", "weights", "expected"),
    [
        (("1_0", "0_1", "1_2"), "N_J", (1, 3, 5), {"N": [1, 0, 1], "j": [0, 1, 2]}),
        (("0 1/2", "1 3/2", "1 5/2"), "WEIGHT + J F", (2, 4, 6), {"j": [0, 1, 1], "F": [0.5, 1.5, 2.5]}),
        (("0_1_1.5", "0_1_0.5"), "(N_J_F)", (4, 2), {"N": [0, 0], "j": [1, 1], "F": [1.5, 0.5]}),
        (("1_0_1", "1_1_0"), "J_Kp_Ko", (9, 9), {"j": [1, 1], "ka": [0, 1], "kc": [1, 0]}),
        (("1_0_1", "1_1_0"), "J_K+_K-", (9, 9), {"j": [1, 1], "ka": [0, 1], "kc": [1, 0]}),
        (("1_0_+", "0_0_-"), "J,K,+/-", (12, 4), {"j": [1, 0], "k": [0, 0], "parity": [1, -1]}),
        (("3/2 1-  2P", "3/2 2+  2P"), "J, F,+/-", (3, 5), {"j": [1.5, 1.5], "F": [1, 2], "parity": [-1, 1]}),
        (
            ("N = 1  J (fine) = 0  label = 3  ", "N = 0  J (fine) = 1  label = 1  "),
            "",
            (1, 3),
            {"N": [1, 0], "j": [0, 1]},
        ),
        (("J = 1/2", "J = 3/2"), "", (2, 4), {"j": [0.5, 1.5]}),
        # the weights decide which of two numbers is which
        (("0_1", "1_0", "2_1"), "N_J", (1, 3, 5), {"N": [1, 0, 1], "j": [0, 1, 2]}),
    ],
)
def test_labels_of_other_molecules_become_named_numbers(
    labels: tuple[str, ...], header: str, weights: tuple[float, ...], expected: dict[str, list[float]]
) -> None:
    found = named_numbers(labels, header, weights)
    assert {name: values.tolist() for name, values in found.items()} == expected


@pytest.mark.parametrize(
    ("labels", "header", "weights"),
    [
        (("1_0", "0_1", "1_2"), "QNUM", (1, 3, 5)),  # the header names nothing
        (("1_0", "0_1", "1_2"), "N_J", (2, 3, 5)),  # the weights prove nothing
        (("1_0", "0_1_1"), "N_J", (1, 3)),  # not the same numbers everywhere
        (("A1 2", "E 1"), "J_K", (5, 3)),
        (("label = 1", "label = 3"), "", (3, 7)),  # a counter
        (("N = 1 and more", "N = 2"), "", (3, 5)),
    ],
)
def test_labels_that_prove_nothing_have_no_numbers(
    labels: tuple[str, ...], header: str, weights: tuple[float, ...]
) -> None:
    assert named_numbers(labels, header, weights) == {}


def test_assigned_numbers_label_the_levels_where_they_tell_them_apart() -> None:
    assert assigned_labels(["N = 1  J (fine) = 0  label = 3", "N = 0, J (fine) = 1, label = 1"]) == [
        "1_0",
        "0_1",
    ]
    same = ["N = 1  label = 3", "N = 1  label = 1"]
    assert assigned_labels(same) == same
    assert assigned_labels(["N = 1", "ground state"]) == ["N = 1", "ground state"]
