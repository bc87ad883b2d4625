// Why a reply is no good answer; nothing if it is one.
function failure(reply) {
  if (reply.status >= 200 && reply.status < 300) return undefined;
  if (reply.status === 0) return reply.error_code === 1050 ? 'timeout' : 'disconnected';
  const told = reply.headers['{{error_header}}'];
  return told || (reply.status === 503 ? 'rejected' : 'service_failed');
}
