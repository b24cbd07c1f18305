"""What an S3 server's refusals mean in the words of the contract."""

from __future__ import annotations

from typing import Any

from pipeline.errors import SystemProblem
from pipeline.storage.stores import StoreAbsent, StoreConflict

_CREDENTIALS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
    "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "NotSignedUp",
}  # fmt: skip
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403", "InvalidObjectState"}
_BUSY = {
    "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "ThrottlingException",
    "TooManyRequests", "BandwidthLimitExceeded", "OperationAborted", "500", "502", "503", "504", "429",
    "RequestLimitExceeded",
}  # fmt: skip
_FULL = {"QuotaExceeded", "EntityTooLargeForQuota", "XMinioStorageFull", "InsufficientStorage", "507", "NotEnoughSpace"}
_WRONG = {"BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "XAmzContentChecksumMismatch", "ChecksumMismatch"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_MISSING = {"NoSuchKey", "404", "NotFound"}


def answered(name: str, url: str, problem: Any, key: str) -> Exception:
    """The contract's error for a ClientError; nothing of the server's own text, which may name accounts."""
    code = str(problem.response.get("Error", {}).get("Code", "?"))
    status = int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        return StoreAbsent("SYS-STORE-ABSENT", store=name, url=url)
    if code in _MISSING or (status == 404 and code in ("", "?")):
        return KeyError(key)
    if code in _CONFLICT or status == 412:
        return StoreConflict("SYS-STORE-CONFLICT", store=name, key=key)
    if code in _WRONG:
        return SystemProblem("SYS-STORE-BYTES", store=name, key=key, expected="-", found=code)
    if code in _CREDENTIALS:
        return SystemProblem("SYS-STORE-CREDENTIALS", store=name, cause=code)
    if code == "RequestTimeTooSkewed":
        return SystemProblem("SYS-STORE-CLOCK", store=name)
    if code in _FULL or status == 507:
        return SystemProblem("SYS-STORE-FULL", store=name, cause=code)
    if code in _DENIED or status in (401, 403):
        return SystemProblem("SYS-STORE-DENIED", store=name, key=key or "/", cause=code)
    if code in _BUSY or status >= 500:
        return StoreAbsent("SYS-STORE-UNREACHABLE", transient=status != 501, store=name, cause=f"{status} {code}")
    return SystemProblem("SYS-STORE-IO", store=name, key=key or "/", cause=f"{status} {code}")
