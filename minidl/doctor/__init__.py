"""How fast this machine computes, and which setting would make it faster.

`minidl doctor` prints all of it; these functions give the same facts to programs.
"""

from minidl.doctor.advice import Advice
from minidl.doctor.facts import Machine, machine
from minidl.doctor.pools import Pool
from minidl.doctor.rates import Rates, measure_rates
from minidl.doctor.report import Report, examine
from minidl.doctor.trials import Trial

__all__ = [
    "Advice",
    "Machine",
    "Pool",
    "Rates",
    "Report",
    "Trial",
    "examine",
    "machine",
    "measure_rates",
]
