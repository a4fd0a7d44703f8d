"""Kernels by the paper's names, read from and written as text such as `M52*EXP+M32`."""

from __future__ import annotations

import re

from ratedb.errors import UsageError

BASE_KERNELS = ("LIN", "RBF", "EXP", "M12", "M32", "M52", "RQ")
"""The paper's seven base kernels (its eqs. 3-7)."""

DISTINCT_KERNELS = ("LIN", "RBF", "EXP", "M32", "M52", "RQ")
"""The same without M12: as a function of r, Matern 1/2 is the exponential kernel of eq. (5), so one
training serves both names."""


def check_kernel(text: str) -> str:
    """Return the kernel text without blanks and in capitals; raises UsageError where it is none."""
    cleaned = re.sub(r"\s+", "", text).upper()
    if not all(name in BASE_KERNELS for name in re.split(r"[+*]", cleaned)):
        raise UsageError(
            "not a kernel",
            expected="names among " + " ".join(BASE_KERNELS) + ", joined by * and +, such as M52*EXP+M32",
            got=text,
        )
    return cleaned


def kernel_terms(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the kernel as a sum of products of base kernels; products bind more tightly than sums."""
    return tuple(tuple(product.split("*")) for product in check_kernel(text).split("+"))


def canonical(text: str) -> str:
    """Return one text for all orders in which the same sum of products can be written."""
    return "+".join(sorted("*".join(sorted(product)) for product in kernel_terms(text)))


def extensions(text: str, kernels: tuple[str, ...]) -> tuple[str, ...]:
    """Return what one round of the greedy search tries: the kernel plus, and times, each base kernel.

    A sum times a base kernel is written out, `(A+B)*C` as `A*C+B*C`, since the text has no brackets.
    """
    sums = [f"{text}+{kernel}" for kernel in kernels]
    products = [
        "+".join(f"{left}*{right}" for left in text.split("+") for right in kernel.split("+"))
        for kernel in kernels
    ]
    return tuple(sums + products)
