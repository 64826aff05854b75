"""Messages to applications: written in the transaction of the act they tell of, delivered as signed webhooks."""
