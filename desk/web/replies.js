// Prepared replies, read once.
import { get } from './base.js';

let replies = null;
export async function preparedReplies(fresh) {
  if (!replies || fresh) replies = get('replies').then((r) => r.replies).catch(() => { replies = null; return []; });
  return replies;
}
