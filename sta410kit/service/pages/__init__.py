"""The pages that people open, rendered on the server."""

from fastapi import APIRouter

from sta410kit.service.pages import evidence, people, rendering, runs, start

router = APIRouter(include_in_schema=False)
for part in (rendering, people, runs, start, evidence):
    router.include_router(part.router)
