"""The outbox beside other queues on PostgreSQL: the same work, the same server, taking turns.

A figure alone says little: it changes with the machine, its disk and its neighbours. What is
worth knowing is how the outbox compares with queues that people use, and with the least that a
queue in PostgreSQL can do, when all of them are measured within the same minutes.

`run` measures and gives a result, `report` shows it. A queue takes part as a `Subject`.
"""
