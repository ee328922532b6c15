"""The queues that the outbox is compared with: one a module, its library imported there only."""
