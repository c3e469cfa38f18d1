"""``sta410 config``: the settings in use."""

import click


@click.command()
@click.option("--origins", is_flag=True, help="Print variable, value and where the value comes from.")
def config(origins: bool) -> None:  # noqa: FBT001 - a flag
    """Show the current configuration as JSON, secrets masked."""
    import json

    from sta410kit.config import get_config, settings_in_use

    rows = settings_in_use()
    if not origins:
        click.echo(json.dumps(get_config().to_dict(), indent=2))
        return
    width = max(len(row.setting.variable) + len(row.value) for row in rows) + 1
    for row in rows:
        deprecated = "  (deprecated)" if row.setting.deprecated else ""
        click.echo(f"{f'{row.setting.variable}={row.value}':<{width}}  {row.origin}{deprecated}")
