"""Small valid texts of every format of rates and levels, to read, mend and break."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratedb.errors import RatedbError
from ratedb.io import registry
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import ReadOptions

MOLPOP = """\
no title defined
source database : cdms
N : rotational quantum number

N. levels and molecular mass
>
3  28.0

  N     g   Energy in cm^{-1}
>
  1     1        0.000000e+00                  'N = 0  '
  2     3        3.845033e+00                  'N = 1  '
  3     5        1.153492e+01                  'N = 2  '


Einstein coefficients A_ij for CO
       i       j            A_ij (s^{-1})
>
       2       1        7.203353e-08
       3       2        6.910379e-07
"""
MOLPOP_V = """\
Vib-Rot energy levels
     i        g      Energy in cm^{-1}    Level details
>
     1        1        .0000000E+00     'v =  0,  J =  0'
     2        3        .1448465E+01     'v =  0,  J =  1'
     3        1        .1229613E+04     'v =  1,  J =  0'
     4        3        .1231051E+04     'v =  1,  J =  1'
"""
AIJ = """\
Einstein coefficients A_ij for SiO
Reference: somebody

   i     j       A_ij in s^{-1}
>
   2     1       3.0500E-06
   3     2       6.1000E+00
   4     1       0.0000E+00
"""
KIJ = """\
References :   A.Somebody;Astron. Astrophys.1
Rotational excitation of CO
>
Number of temperature columns = 3

       I1       J1       Temperature (K)

                 10           20         100.5

       2       1        5.936000e-11        5.408000e-11        5.239000e-11
       3       1        9.644000e-12        1.101000e-11        1.245000e-11
       3       2        8.025000e-11        7.392000e-11        7.344000e-11
"""
WATER = """\

Rotational energy levels of para-H$_2$O
Energy unit :
cm^-1
Number of columns :
6
Number of Lines :
3

   Level         Energy              J             Ka             Kc            tau
       1       0.000000              0              0              0              0
       2      37.137100              1              1              1              0
       3      70.090700              2              0              2             -2
"""
HYDROGEN = """\

Ro-vibrational energy levels of para-H$_2$
Energy unit :
cm^-1
Number of columns :
4
Number of Lines :
2

   Level         Energy              J              v
       1       0.000000              0              0
       2     354.350000              2              0
"""
TWO = """\

BASECOL V1 2017-10

number of temperatures :
2
number of transitions :
4
maximum  initial level value :
3

order :   initial Level;   final Level;   initial Level;   final Level

IS_H2O  FS_H2O  IS_H2 FS_H2      100.0           200.0
    2      1      1      1     4.1549e-11     3.5122e-11
    2      1      1      2     4.6422e-13     3.4998e-12
    2      1      2      1     1.2368e-13     1.3773e-13
    3      1      2      2     1.1963e-10     1.2800e-10
"""
ENERGY = """\
2 4 29 // magic number - today's date
#H2 electronic ground state rovibrational level energies
#V\tJ\tEnergy [cm^-1]
0\t0\t0.0000
0\t1\t118.4869
0\t2\t354.3732
1\t0\t4161.1693#Energy level might be uncertain
"""
VJ = """\
110416 // magic number - today's date
# data file for collisions H + H2* -> H + H2
#>>>refer\tH2\tH coll\tSomebody, F., 2015, MNRAS, 1, 2
100.0\t200.0\t300.0
0  1  0  0  0.3098E-21  0.1521E-18  0.1791E-16
0  2  0  0  0.6561E-13  0.7861E-13  0.9070E-13
1  0  0  2  0.5020E-15  0.2016E-14  0.1795E-14
"""
NUMBERED = """\
lev no.   v           J       Energy (K)
 1      0.000       0.000      0.000
 2      0.000       2.000    509.850
 3      1.000       0.000   5987.124
   100.000000000000
    2.381E-10    7.200E-14    8.643E-17
    2.200E-15    1.013E-09    2.901E-15
    6.070-102    6.050E-29    9.102E-10
   200.000000000000
    2.381E-10    8.200E-14    9.643E-17
    3.200E-14    1.013E-09    3.901E-15
    6.070-062    6.050E-25    9.102E-10
"""
SQUARES = """\
downloaded from http://example.org/He-HD.rate_coefficients
HD - He (Somebody, E., 1999)

       J       E(K)
      0.000     0.0
      1.000   128.4
      2.000   384.2

 taux d excitation (centimetre cube*seconde(-1)  )
 ---------------------------------------------------
   temperature cinetique=    80.000 degres kelvin

   jf / ji  0.0       1.0       2.0
   0.0    0.000D+00 1.306D-11 1.393D-12
   1.0    7.875D-12 0.000D+00 1.354D-11
   2.0    5.714D-14 9.209D-13 0.000D+00

   temperature cinetique=   100.000 degres kelvin

   jf / ji  0.0       1.0       2.0
   0.0    0.000D+00 1.518D-11 1.744D-12
   1.0    1.261D-11 0.000D+00 1.631D-11
   2.0    1.869D-13 2.104D-12 0.000D+00
"""
PAIRS = """\
Data taken from somewhere
   2
      0.000     0.000     0.000     0.000     0.000     0.000     0.000     0.000     0.000     0.000
      0.000     0.000     0.000     0.000     0.000     1.000     0.000     1.000     1.000   128.400



      100.
 ( 0, 0) ( 0, 1)
 1.0D-09 1.5D-11
 1.3D-11 9.1D-10



      120.
 ( 0, 0) ( 0, 1)
 1.0D-09 1.7D-11
 1.8D-11 9.5D-10
"""
TOP_CSV = """\
level,energy_cm1,weight,j,ka,kc
1,0.0,1,0,0,0
2,37.1371,3,1,1,1
3,70.0907,5,2,0,2
"""
PARTNER_CSV = """\
level,energy_cm1,weight,j
1,0.0,1,0
2,354.35,5,2
"""
WIDE = """\
initial,final,partner_initial,partner_final,10.0,20.0
2,1,0,0,4.1e-11,3.5e-11
3,1,0,0,4.6e-12,3.4e-12
3,2,0,0,1.2e-10,1.3e-10
"""
WIDE_PAIRS = """\
initial,final,partner_initial,partner_final,100.0,200.0
2,1,1,1,4.1549e-11,3.5122e-11
2,1,1,2,4.6422e-13,3.4998e-12
2,1,2,1,1.2368e-13,1.3773e-13
3,1,2,2,1.1963e-10,1.2800e-10
"""
WIDE_VJ = """\
v,j,v_final,j_final,100,200.5
0,1,0,0,1.25e-11,1.5e-11
0,2,0,1,2.25e-11,2.5e-11
"""
LEVELS_CSV = """\
j,energy_cm1,weight
0,0.0000,1
1,1.4484,3
2,4.3452,5
"""
CSV = """\
molecule,collider,v,j,v_final,j_final,temperature_k,rate_cm3_s,kind,upper_energy_cm1,lower_energy_cm1,\
upper_weight,lower_weight
CO,He,0,1,0,0,10,1.25e-11,computed,3.845033,0,3,1
CO,He,0,1,0,0,20,1.5e-11,computed,3.845033,0,3,1
CO,He,0,2,0,1,10,2.25e-11,computed,11.534920,3.845033,5,3
CO,He,0,2,0,1,20,2.5e-11,computed,11.534920,3.845033,5,3
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read_rates(
    folder: Path,
    text: str | bytes,
    *,
    levels: tuple[str | bytes, ...] = (),
    molecule: str | None = "CO",
    collider: str | None = "He",
    collider_levels: str | None = None,
    file_format: str = "auto",
    name: str = "rates.dat",
) -> MoleculeFile:
    """Read a text as a file of rates, with the texts of its level lists."""
    lists = tuple(written(folder, f"levels{place}", one) for place, one in enumerate(levels))
    others = None if collider_levels is None else written(folder, "others", collider_levels)
    options = ReadOptions(molecule, collider, lists, others)
    return registry.read_rates(written(folder, name, text), options, file_format=file_format)


def refused(folder: Path, text: str | bytes, *words: str, line: int | None = None, **options: object) -> None:
    """Assert that a text is refused with these words, the line, what was expected and what to do."""
    with pytest.raises(RatedbError) as caught:
        read_rates(folder, text, **options)  # type: ignore[arg-type]
    need_clear(caught.value, *words, line=line)


def need_clear(error: RatedbError, *words: str, line: int | None = None) -> None:
    assert error.where, error
    assert error.expected, error
    assert error.todo, error
    for word in words:
        assert word in str(error), error
    if line is not None:
        assert error.where.endswith(f":{line}"), error


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds a part, counted from 1."""
    return next(number for number, line in enumerate(text.split("\n"), start=1) if part in line)
