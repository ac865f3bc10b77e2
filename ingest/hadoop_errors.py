"""What went wrong with an address that Hadoop should look up, as one error that says what to do."""

from __future__ import annotations

import re
from typing import Final

from recsys.core.errors import RecsysError, ServiceError, SetupError

_MISSING: Final = re.compile(
    r"ClassNotFoundException|NoClassDefFoundError|UnsupportedFileSystemException|ServiceConfigurationError"
)
_JARS: Final = {"s3a": "org.apache.hadoop:hadoop-aws", "abfs": "org.apache.hadoop:hadoop-azure"}
"The jars of common file systems; they go with the version of Hadoop."

_RENAMED: Final = {"s3": "s3a", "s3n": "s3a", "abfss": "abfs"}
_CAUSE: Final = re.compile(r"^(?:: |Caused by: )(.+)$", re.MULTILINE)
_ADVICE: Final = (
    (
        re.compile(
            r"AccessDenied|AccessControl|NoAuth|[Cc]redentials|Forbidden|InvalidAccessKey|SignatureDoesNotMatch"
        ),
        "see that the account of this machine may read it, or say which may: for s3a:// AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY in the environment, or spark.hadoop.fs.s3a.… in [spark.conf]; for hdfs:// "
        "HADOOP_USER_NAME",
    ),
    (
        re.compile(r"UnknownHost|ConnectException|NoRouteToHost|[Tt]imed? ?out|Connection refused"),
        "check host and port in it, or spark.hadoop.fs.s3a.endpoint and the like in [spark.conf], and that it runs",
    ),
)


class FileSystemMissingError(SetupError):
    """Hadoop has no code for the file system of an address."""

    def __init__(self, address: str, cause: str, hadoop: str) -> None:
        self.address = address
        scheme = address.partition("://")[0]
        known = _JARS.get(_RENAMED.get(scheme, scheme))
        jars = f"{known}:{hadoop}" if known else "group:name:version"
        rename = f"write {_RENAMED[scheme]}://, and " if _RENAMED.get(scheme, "abfs") != "abfs" else ""
        super().__init__(
            f"{address}: Hadoop {hadoop} here does not know {scheme}:// ({cause}); {rename}name the jars that do in "
            f'recsys.toml, [spark.conf] "spark.jars.packages" = "{jars}", then run the same command'
        )


class FileSystemFailedError(ServiceError):
    """The file system of an address cannot be reached or refuses us."""

    def __init__(self, address: str, cause: str) -> None:
        self.address = address
        told = (advice for pattern, advice in _ADVICE if pattern.search(cause))
        advice = next(told, "check the address, and spark.hadoop.… in [spark.conf] of recsys.toml")
        super().__init__(f"{address} cannot be looked up ({cause}); {advice}, then run the same command")


def explained_lookup(address: str, text: str, hadoop: str) -> RecsysError:
    """Return the error to raise when Java failed with ``text`` at ``address``; ``hadoop`` is its version."""
    cause = java_cause(text)
    if _MISSING.search(cause):
        return FileSystemMissingError(address, cause, hadoop)
    return FileSystemFailedError(address, cause)


def java_cause(text: str) -> str:
    """Return the line of a Java stack trace that says why: the innermost cause."""
    causes = _CAUSE.findall(text) or text.splitlines()[:1]
    return " ".join(str(causes[-1]).split())[:300]
