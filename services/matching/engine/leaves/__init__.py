"""One module for each kind of question that a criterion puts to the patient's facts."""
