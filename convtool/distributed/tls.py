"""Certificates and keys for a scheduler, from Dask's configuration, and what is wrong with them."""

import os
import ssl
from typing import Any

from convtool.errors import ClusterError

_PLAIN = "the scheduler does not speak TLS; is its address tcp://…?"
_SETTINGS = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT and …__CLIENT__KEY"


def security_for(address: str) -> Any:
    """Return what Dask's configuration says on TLS: its files, ``DASK_CONFIG``, the environment.

    Returns
    -------
    distributed.Security
        The credentials for a client of this scheduler.

    Raises
    ------
    ClusterError
        If they cannot be used.
    """
    import dask
    from distributed import Security
    from distributed.utils import import_term

    where = f"{address}: Dask's settings of TLS cannot be used"
    try:
        loader = dask.config.get("distributed.client.security-loader", None)
        security = import_term(loader)({"address": address}) if loader else Security()
        named = security.get_tls_config_for_role("client").values()
        for file in named:
            is_name = isinstance(file, str) and "\n" not in file
            if is_name and not os.path.exists(file):
                raise ClusterError(f"{where}: {file}: there is no such file")
        security.get_connection_args("client")
    except (OSError, ValueError, TypeError, ImportError, AttributeError) as error:
        if isinstance(error, ClusterError):
            raise
        raise ClusterError(f"{where}: {error}") from error
    return security


def refusal(address: str, error: BaseException) -> str | None:
    """Return in words why a scheduler was not reached, if TLS is the reason.

    Examples
    --------
    >>> refusal("tcp://10.0.0.5:8786", RuntimeError("encryption required by Dask configuration"))
    'encryption required by Dask configuration'
    """
    from distributed.comm import CommClosedError

    refused = "the TLS handshake fails ({}); the scheduler may refuse this certificate"
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, ssl.SSLCertVerificationError):
            return (
                f"the scheduler's certificate is refused: {one.verify_message}; ca-file in Dask's "
                "configuration must name its authority"
            )
        if isinstance(one, ssl.SSLError) and one.reason == "WRONG_VERSION_NUMBER":
            return _PLAIN
        if isinstance(one, ssl.SSLError):
            return refused.format(one)
        one = one.__cause__ or one.__context__
    if isinstance(error, RuntimeError):
        return str(error)
    if not address.startswith(("tls:", "wss:")):
        return None
    if isinstance(error, CommClosedError):  # its alert was lost when it closed the connection
        return refused.format("the scheduler closes the connection")
    if isinstance(error, TypeError):
        return f"Dask's configuration names no certificates; set {_SETTINGS}"
    if isinstance(error, ValueError):
        return _PLAIN
    return None
