  const reply = http.get(BASE_URL + endpoint.path, {
    // The service draws by user and request. The third number would be the time at which the
    // request was sent by a clock that k6 does not have: the largest says that nobody knows.
    headers: { 'rung-key': `${request.lane}.${request.index}.{{not_told}}`{{more_headers}} },
    tags: { name: endpoint.name, endpoint: endpoint.name },
    timeout: {{patience}},
    redirects: 0,
  });
  const kind = failure(reply);
