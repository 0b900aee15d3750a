"""The only part that touches the user's disk: confined reads, and commits of all files or none.

A commit goes through the journal `.scaffold-journal`, whose file lock also keeps other runs out:

    record -> stage and back up -> place -> "done" -> clean up

A run that gets the lock and finds a record knows that its writer was killed: before "done"
everything is undone, after it only the cleanup is left. A failed commit is undone by the same code,
so there is one way back, and it needs nothing but the journal. Nothing is flushed to disk: a commit
survives a kill at any point, and a power cut as far as the file system's write order allows.
"""

from scaffold.workspace.folder import Transaction, Workspace

__all__ = ["Transaction", "Workspace"]
