"""The answer to one question: which trial, where and when, for this patient? Nothing of the patient outlives the call."""
