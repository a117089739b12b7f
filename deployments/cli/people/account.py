"""Who is at the terminal, by the word of their own process."""

import os
import pwd


def account() -> str:
    """The account that the process seems to run as. In a user namespace of its own, that is whom it likes.

    LOGNAME and USER, which `getpass.getuser` believes, are not even that.
    """
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"  # an account without a name, as containers have them
