"""Who is at the terminal, as the system knows it."""

import os
import pwd


def login() -> str:
    """The account that the process runs as.

    LOGNAME and USER, which `getpass.getuser` believes, are set by whoever likes.
    """
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"  # an account without a name, as containers have them
