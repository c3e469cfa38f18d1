"""The store of downloaded prices: what each source said, when, and what of it counts.

=============  =====================================================================================
`files`        append-only Parquet by source and symbol; reading as of a moment; damaged files
`updating`     asking a source for what is missing; new rows are added, revisions held for the gate
`reading`      prices of a live source, updated when sessions have closed; stored ones when it is down
=============  =====================================================================================
"""
