"""The stages of a request, in the order of `shared.http.route`. Each lets the request pass or raises a problem."""
