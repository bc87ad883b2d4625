// Why a reply is no good answer; nothing if it is one. Of a service of your own a redirection is an
// answer, and 429 is a refusal.
function failure(reply, own) {
  if (reply.status >= 200 && reply.status < (own ? 400 : 300)) return undefined;
  if (reply.status === 0) return reply.error_code === 1050 ? 'timeout' : 'disconnected';
  const told = own ? undefined : reply.headers['{{error_header}}'];
  const refused = reply.status === 503 || (own && reply.status === 429);
  return told || (refused ? 'rejected' : 'service_failed');
}
