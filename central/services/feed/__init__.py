"""The way down at central: `keeper` makes versions, `answers` gives them to devices, `policies` and `heads` sign."""
