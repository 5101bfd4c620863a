"""Long imports of partner networks as jobs: any process of the registry runs them, and continues after a crash."""
