"""The description of the API: complete, and true of what the API answers."""

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Which names and values a project's parameters take is not in the description: 422 says it.
JUDGED = {"/api/v1/runs", "/api/v1/sweeps", "/api/v1/users"}


@pytest.fixture
def described(service):
    """Give the description as a client reads it."""
    with service.client("viewer") as client:
        return client.get("/api/v1/openapi.json").json()


@pytest.mark.slow
@pytest.mark.integration
def test_every_operation_answers_as_it_is_described(service, described, nightly):
    """Requests that fit the description, and others, get answers that it names."""
    load_all_checks()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.base_url = service.url
    headers = {"Authorization": f"Bearer {service.tokens['admin']}"}
    wrong = []
    for found in schema.get_all_operations():
        try:
            _hold(found.ok(), headers, 100 if nightly else 10)
        except (schemathesis.core.failures.FailureGroup, ExceptionGroup) as failures:
            wrong += [f"{found.ok().label}: {one}" for one in failures.exceptions]
    assert not wrong, "\n\n".join(wrong)


def _hold(operation, headers, examples):
    left_out = [positive_data_acceptance] if operation.path in JUDGED else []
    modes = schemathesis.GenerationMode
    requests = strategies.one_of(operation.as_strategy(generation_mode=mode) for mode in modes)

    @hypothesis.settings(max_examples=examples)
    @hypothesis.given(case=requests)
    def holds(case):
        case.call_and_validate(headers=headers, timeout=60, excluded_checks=left_out)

    holds()
