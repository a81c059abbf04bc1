"""The agent of one storeroom: the only place where its parts meet. One queue, one writer.

Links run on threads of their own and only put what happened into the inbox; one thread takes a turn at a time: scans
first, as one group that is synced before their beeps, then what readers and central say.

`life` is one run from its lock to its end, `parts` puts the agent together, `turns` is what it does all day, `writer`
is its only way to the ledger. The rule that must not be broken: nothing is imported here, so that a tool that wants one
part does not pay for all of them.
"""
