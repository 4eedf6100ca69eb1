"""Proof of work for opening a session (hashcash over SHA-256).

A solution is a decimal string such that sha256(challenge ":" solution) starts with `difficulty`
zero bits. It slows a script that opens sessions in bulk; it does not show a human.
"""

from __future__ import annotations

import hashlib

MAX_DIFFICULTY = 22
MAX_SOLUTION = 20


def leading_zero_bits(digest: bytes) -> int:
    """How many zero bits the digest starts with."""
    value = int.from_bytes(digest, "big")
    return len(digest) * 8 - value.bit_length()


def is_solution(challenge: str, solution: str, difficulty: int) -> bool:
    """Whether `solution` (1 to 20 ASCII digits) meets `difficulty` bits."""
    if not (solution.isascii() and solution.isdigit() and len(solution) <= MAX_SOLUTION):
        return False
    digest = hashlib.sha256(f"{challenge}:{solution}".encode()).digest()
    return leading_zero_bits(digest) >= difficulty


def solve(challenge: str, difficulty: int) -> str:
    """The first solution; raises `ValueError` above `MAX_DIFFICULTY`, which no client should do."""
    if difficulty > MAX_DIFFICULTY:
        raise ValueError(f"difficulty {difficulty} is above {MAX_DIFFICULTY}")
    number = 0
    while not is_solution(challenge, str(number), difficulty):
        number += 1
    return str(number)
