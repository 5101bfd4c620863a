"""The editor of computable criteria: one person writes and proposes, another one signs."""
