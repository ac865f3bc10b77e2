import pytest

from recsys.ingest.hadoop_errors import FileSystemFailedError, FileSystemMissingError, explained_lookup, java_cause

TRACE = """An error occurred while calling o31.getFileSystem.
: java.lang.RuntimeException: java.lang.ClassNotFoundException: Class org.example.Fs not found
\tat org.apache.hadoop.conf.Configuration.getClass(Configuration.java:2737)
Caused by: java.lang.ClassNotFoundException: Class org.example.Fs   not found
\tat org.apache.hadoop.conf.Configuration.getClassByName(Configuration.java:2637)
\t... 12 more
"""


def test_the_innermost_cause_is_told() -> None:
    """Of a stack trace its last cause, of anything else its first line."""
    assert java_cause(TRACE) == "java.lang.ClassNotFoundException: Class org.example.Fs not found"
    assert java_cause("java.net.UnknownHostException: nowhere\n\nJVM stacktrace:") == (
        "java.net.UnknownHostException: nowhere"
    )


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("s3a://bucket/logs", r"spark\.jars\.packages\" = \"org\.apache\.hadoop:hadoop-aws:3\.5\.0\""),
        ("s3://bucket/logs", r"write s3a://, and .*hadoop-aws:3\.5\.0"),
        ("abfss://logs@account/x", r"\); name the jars .*hadoop-azure:3\.5\.0"),
        ("gs://bucket/logs", r"does not know gs:// .*group:name:version"),
    ],
)
def test_missing_jars_are_named(address: str, advice: str) -> None:
    """The version is that of the Hadoop at hand."""
    error = explained_lookup(address, TRACE, "3.5.0")
    assert isinstance(error, FileSystemMissingError)
    with pytest.raises(FileSystemMissingError, match=advice):
        raise error


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        (
            "java.nio.file.AccessDeniedException: s3a://bucket/logs: getFileStatus: Forbidden; Status Code: 403",
            "AWS_ACCESS_KEY_ID",
        ),
        ("org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided", "AWS_ACCESS_KEY_ID"),
        ("org.apache.hadoop.security.AccessControlException: Permission denied: user=ann", "HADOOP_USER_NAME"),
        ("java.net.ConnectException: Connection refused", "check host and port"),
        ("java.net.UnknownHostException: namenode", "check host and port"),
        ("java.lang.IllegalArgumentException: bucket is null/empty", "check the address"),
    ],
)
def test_what_a_file_system_says_comes_with_advice(cause: str, advice: str) -> None:
    """Who may read it, where it is, or else its address."""
    error = explained_lookup("s3a://bucket/logs", f": {cause}\n\tat x", "3.5.0")
    assert isinstance(error, FileSystemFailedError)
    assert cause in str(error)
    assert advice in str(error)
