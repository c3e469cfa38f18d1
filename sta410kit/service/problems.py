"""Errors as the API answers them: RFC 9457, ``application/problem+json``."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from sta410kit._internal.redaction import redact_values
from sta410kit._internal.text import printable
from sta410kit.exceptions import ConfigurationError, SecretFoundError, STA410Exception

MEDIA_TYPE = "application/problem+json"
Found = TypeVar("Found")


class Place(BaseModel):
    """One value of a request that is wrong."""

    place: str = Field(examples=["body.parameters"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """Why a request was refused or failed."""

    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the chain takes no parameter 'modle'. Did you mean 'model'?"])
    errors: list[Place] = []


def found(find: Callable[..., Found], *values: object) -> Found:
    """Return what a function finds; its `ConfigurationError`, that there is none, is answered with 404."""
    try:
        return find(*values)
    except ConfigurationError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None


def responses(*codes: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of errors with these status codes."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(code): {"description": code.phrase, "content": content} for code in codes}


BODY = responses(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)  # of what takes one


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Add the schema of a problem to an OpenAPI document."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= {**schema.pop("$defs"), Problem.__name__: schema}
    return document


def problem(
    status: int, detail: str, errors: list[Place] | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return an error as a response, secrets redacted."""
    title = HTTPStatus(status).phrase
    content = Problem(title=title, status=status, detail=printable(detail), errors=errors or [])
    return JSONResponse(redact_values(content.model_dump()), status, headers, media_type=MEDIA_TYPE)


def problem_of(error: Exception) -> JSONResponse:
    """Return the response to a request that ended with this exception."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))
    if isinstance(error, RequestValidationError):
        places = [
            Place(place=printable(".".join(map(str, one["loc"]))), message=one["msg"])
            for one in error.errors()
        ]
        detail = "; ".join(f"{one.place}: {one.message}" for one in places)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, places)
    if isinstance(error, ConfigurationError | SecretFoundError):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    if isinstance(error, STA410Exception):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect; the log of the service says more")
