"""The outside world by kind: each folder holds a contract and the companies that fulfil it."""
