# ruff: noqa: E402 - Great Expectations' warnings are silenced before any part of it is imported
"""Everything that touches Great Expectations: the kit's expectations there, its answers, and its record.

Importing this module registers the kit's expectations, which lets bare Great Expectations load the kit's
suites. It is imported late: Great Expectations takes seconds to load.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import warnings
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs its bookkeeping while it loads
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")
    import great_expectations as gx
    from great_expectations.compatibility import pydantic
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation import BatchExpectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metrics.metric_provider import metric_value
    from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
    from great_expectations.render.components import LegacyRendererType, RenderedStringTemplateContent
    from great_expectations.render.renderer.renderer import renderer
# This one sets its own level while it is imported.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.evidence import EXAMPLES, Evidence
from sta410kit.guards.expectations import EXPECTATIONS, Expectation, judge_all, registered
from sta410kit.guards.panel import Panel
from sta410kit.guards.suites import cannot_be_loaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sta410kit.guards.result import Check, GuardResult

NOT_ASKED = "not evaluated: the frame lacks the columns it looks at"
_LOCK = threading.Lock()  # a Great Expectations context is not made for several threads
_PANEL = "table.sta410_panel"


class PanelMetric(TableMetricProvider):
    """The panel of a batch, made once and shared by every expectation of the kit."""

    metric_name = _PANEL

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805 - Great Expectations calls it on the class
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: object,
    ) -> Panel:
        frame, _compute, _accessor = execution_engine.get_compute_domain(
            domain_kwargs=metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        return Panel(frame)


class KitExpectation(BatchExpectation):
    """An expectation of the kit in Great Expectations' form; there is a subclass for each."""

    rule: ClassVar[type[Expectation]]
    metric_dependencies: ClassVar[tuple[str, ...]] = (_PANEL,)

    @pydantic.root_validator(skip_on_failure=True)
    def _arguments_fit(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805 - pydantic
        cls.rule(**{name: values[name] for name in cls.rule.model_fields})
        return values

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - Great Expectations' signature
        execution_engine: Any = None,  # noqa: ANN401, ARG002
    ) -> dict[str, Any]:
        panel: Panel = metrics[_PANEL]
        rule = self.rule(**{name: getattr(self, name) for name in self.rule.model_fields})
        (found,) = judge_all([rule], panel)
        if isinstance(found, Exception):
            raise found
        evidence = Evidence() if found is None else found
        rows = list(evidence.rows(panel.frame))
        return {"success": evidence.holds, "result": _table_result(evidence, rows, len(panel.frame))}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,  # noqa: ANN401 - Great Expectations' signature
        result: Any = None,  # noqa: ANN401, ARG003
        runtime_configuration: Any = None,  # noqa: ANN401, ARG003
    ) -> list[RenderedStringTemplateContent]:
        """Return the sentence of the expectation with the thresholds filled in."""
        known = (
            {k: v for k, v in configuration.kwargs.items() if k in cls.rule.model_fields}
            if configuration
            else {}
        )
        template = {"template": cls.rule(**known).words().replace("$", "$$"), "params": {}}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]


def _register(rule: type[Expectation]) -> None:
    """Define the Great Expectations class of an expectation; defining it registers it there."""
    defaults = {name: info.get_default(call_default_factory=True) for name, info in rule.model_fields.items()}
    namespace = {"__module__": __name__, "__doc__": rule.__doc__, "rule": rule, **defaults}
    types = {**dict.fromkeys(defaults, Any), "rule": ClassVar[type]}
    type(rule.__name__, (KitExpectation,), {**namespace, "__annotations__": types})


_REGISTERED: dict[str, type[Expectation]] = {}


def _register_all() -> None:
    """Register those that are new: a project may declare its own after this module was imported."""
    for name, rule in registered().items():
        if _REGISTERED.get(name) is not rule:
            _register(rule)
            _REGISTERED[name] = rule


_register_all()


def load_suite(name: str, expectations: Sequence[dict[str, Any]]) -> gx.ExpectationSuite:
    """Return the Great Expectations suite.

    Raises
    ------
    ConfigurationError
        An expectation cannot be loaded; Great Expectations would leave it out and only log it.
    """
    _register_all()
    try:
        return _load(name, json.dumps(list(expectations)))
    except TypeError as error:
        message = f"suite '{name}' holds a value that JSON does not have: {error}"
        raise ConfigurationError(message) from error


@lru_cache(maxsize=32)
def _load(name: str, expectations: str) -> gx.ExpectationSuite:
    loaded = []
    for item in json.loads(expectations):
        try:
            loaded.append(ExpectationConfiguration(**item).to_domain_obj())
        except Exception as error:  # any error of the library means that it could not be loaded
            reason = " ".join(str(error).split()) or type(error).__name__
            raise cannot_be_loaded(name, item, reason) from error
    suite = gx.ExpectationSuite(name=name, expectations=loaded)
    if len(suite.expectations) != len(loaded):
        message = f"suite '{name}': Great Expectations dropped an expectation while loading"
        raise ConfigurationError(message)
    return suite


def ask(name: str, expectations: list[dict[str, Any]], frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Let Great Expectations evaluate, and return its results in the order of the question."""
    form = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": EXAMPLES,
        "unexpected_index_column_names": [key for key in ("symbol", "date") if key in frame.columns],
    }
    numbered = [{**item, "meta": {**item["meta"], "_number": n}} for n, item in enumerate(expectations)]
    with _LOCK:
        batch = _batch_definition().get_batch({"dataframe": _plain_dtypes(frame)})
        record = batch.validate(load_suite(name, numbered), result_format=form).to_json_dict()
    results = {item["expectation_config"]["meta"].pop("_number"): item for item in record["results"]}
    if len(results) != len(expectations):
        message = f"suite '{name}': {len(expectations)} expectations were asked, {len(results)} answered"
        raise ConfigurationError(message)
    return [results[number] for number in range(len(expectations))]


@cache
def _batch_definition() -> Any:  # noqa: ANN401 - a BatchDefinition
    """One context a process, in memory; nothing is written, nothing is shown, no progress bar."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("sta410").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _plain_dtypes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same values in numpy dtypes, text as objects, on a plain index.

    Great Expectations' type checks know numpy's dtypes only. Text as objects is judged value by value, and so
    the rows are named; nullable, Arrow and categorical columns hold the same values in another layout.
    """
    import pandas as pd
    from pandas.api.types import is_extension_array_dtype

    plain = frame.reset_index(drop=True)
    for name, dtype in frame.dtypes.items():
        if is_extension_array_dtype(dtype) and not isinstance(dtype, pd.DatetimeTZDtype):
            values = plain[name].to_numpy()
            plain[name] = pd.Series(values, dtype=values.dtype)
    return plain


def to_record(result: GuardResult) -> dict[str, Any]:
    """Return what a gate found as Great Expectations' validation result, in JSON values."""
    _register_all()  # its renderers look expectations up by name
    held = sum(check.held for check in result.checks)
    total = len(result.checks)
    return {
        "success": held == total,
        "suite_name": result.suite,
        "suite_parameters": {},
        "results": [_entry(check, result.row_count) for check in result.checks if check.config],
        "statistics": {
            "evaluated_expectations": total,
            "successful_expectations": held,
            "unsuccessful_expectations": total - held,
            "success_percent": 100.0 * held / total if total else None,
        },
        "meta": {"great_expectations_version": version("great-expectations")},
        "id": None,
    }


def _entry(check: Check, row_count: int) -> dict[str, Any]:
    found = check.found
    if check.not_asked:
        found = {"observed_value": NOT_ASKED}
    elif check.evidence is not None:
        of_rows = check.evidence.judged and check.expectation not in EXPECTATIONS
        build = _map_result if of_rows else _table_result
        rows = [
            {name: None if _is_nan(value) else value for name, value in row.items()} for row in check.rows
        ]
        found = build(check.evidence, rows, row_count)
    return {
        "success": check.held,
        "expectation_config": {
            **check.config,
            "kwargs": {"batch_id": "sta410-frame", **check.config["kwargs"]},
        },
        "result": {**(found or {}), **({"accepted": list(check.accepted)} if check.accepted else {})},
        "meta": {},
        "exception_info": {
            "raised_exception": bool(check.error),
            "exception_traceback": None,
            "exception_message": check.error or None,
        },
    }


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _map_result(evidence: Evidence, rows: list[dict[str, Any]], row_count: int) -> dict[str, Any]:
    """Return the result of an expectation about values, in the form of Great Expectations."""
    values = [tuple(row.get(name) for name in evidence.columns) for row in rows]
    return {
        "element_count": row_count,
        "missing_count": row_count - evidence.judged,
        "unexpected_count": evidence.count,
        "unexpected_percent": evidence.count / evidence.judged * 100,
        "partial_unexpected_list": [value[0] if len(value) == 1 else list(value) for value in values],
        "partial_unexpected_index_list": rows,
    }


def _table_result(evidence: Evidence, rows: list[dict[str, Any]], row_count: int) -> dict[str, Any]:
    """Return the result of an expectation about the table, in the form of Great Expectations."""
    words = [*evidence.notes, *evidence.stretches()] or ["nothing found"]
    return {
        "element_count": row_count,
        "unexpected_count": evidence.count,
        "unexpected_percent": 100.0 * min(evidence.count / row_count, 1.0) if row_count else 0.0,
        "partial_unexpected_index_list": rows,
        "observed_value": "; ".join(words[:10]),
    }
