"""The two kinds of failure a user can meet.

    Exception
    ├── InputError (ValueError)      something given is not allowed; the command line exits with 2
    └── RunError (RuntimeError)      something went wrong on the way; the command line exits with 1

Each message is one sentence: what was given, what is allowed, what to do.
"""


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
