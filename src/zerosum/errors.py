"""The two kinds of failure a user can meet.

    Exception
    ├── InputError (ValueError)      something given is not allowed; the command line exits with 2
    └── RunError (RuntimeError)      something went wrong on the way; the command line exits with 1

Each message is one sentence: what was given, what is allowed, what to do.
"""

LONGEST = 300  # characters of what a library says


def reason(error: BaseException) -> str:
    r"""What a library's exception says, to stand within a sentence: one line of printable characters, no end.

    Examples:
        >>> reason(ValueError("bad magic \x00.\nat offset 3"))
        'bad magic \\x00'
        >>> reason(KeyError())
        'KeyError'
    """
    lines = str(error).strip().splitlines()
    line = printable(lines[0].strip().rstrip(".")) if lines else ""
    shown = line if len(line) <= LONGEST else line[:LONGEST] + "..."
    return shown or type(error).__name__


def printable(text: str) -> str:
    """A text that a terminal shows as it is: what is no printable character, as its escape sequence."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


class InputError(ValueError):
    """Something the user gave is not allowed.

    Examples:
        >>> import zerosum
        >>> zerosum.load("nothing.csv")
        Traceback (most recent call last):
        ...
        zerosum.errors.InputError: ...
    """


class RunError(RuntimeError):
    """A run could not go on: a loss that is not finite, a file that cannot be written, a damaged checkpoint.

    Examples:
        >>> issubclass(RunError, RuntimeError)
        True
    """
