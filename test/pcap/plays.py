# SPDX-License-Identifier: BSD-3-Clause
"""The list of golden cases, to which each module of them adds its own."""

plays = {}


def case(name, **arguments):
    """What the decorated function plays is the case of that name; its text tells what the case is about. A
    function of a Scenario's subclass says so by `kind`."""
    def add(play):
        plays[name] = (play, arguments)
        return play
    return add
