  const { method, url, headers, body } = written(endpoint, request);
  const reply = http.request(method, url, body, {
    headers: { ...headers{{more_headers}} },
    tags: { name: endpoint.name, endpoint: endpoint.name },
    timeout: {{patience}},
    redirects: 0,
  });
  const kind = failure(reply, endpoint.request);
