"""Users, for administrators."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from sta410kit.service.access import ADMIN, VIEWER, Caller
from sta410kit.service.models import User
from sta410kit.service.problems import BODY, found, responses
from sta410kit.service.site import Served

router = APIRouter(tags=["users"])


class NewUser(BaseModel):
    """A user to be added."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64, examples=["anna"])
    role: Literal["viewer", "runner", "admin"] = "viewer"


class Me(BaseModel):
    """The caller."""

    name: str = Field(examples=["anna"])
    role: str = Field(examples=["viewer"])


class Token(BaseModel):
    """A new token; it is shown this once."""

    token: str


@router.get("/me")
def read_me(caller: Annotated[Caller, VIEWER]) -> Me:
    """Return who the token or session belongs to."""
    return Me(name=caller.name, role=caller.role)


@router.get("/users", dependencies=[ADMIN])
def read_users(site: Served) -> list[User]:
    """List users."""
    return [User.model_validate(one, from_attributes=True) for one in site.users.all()]


@router.post("/users", status_code=HTTPStatus.CREATED, dependencies=[ADMIN], responses=BODY)
def add_user(asked: NewUser, site: Served) -> Token:
    """Add a user, and return the token."""
    return Token(token=site.users.add(asked.name, asked.role))


@router.delete(
    "/users/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[ADMIN],
    responses=responses(HTTPStatus.NOT_FOUND),
)
def revoke_user(name: Annotated[str, Path(max_length=64)], site: Served) -> None:
    """Revoke a user's token and sessions at once."""
    found(site.users.revoke, name)
