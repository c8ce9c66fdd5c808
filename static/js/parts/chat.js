/** The chat as a part of the room page: its tool, its panel, what it hears and what its elements ask for. */
import { html } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { t } from '../i18n.js';
import { Chat } from '../room/chat.js';
import { may } from '../room/reducer.js';
import '../elements/chat.js';

/**
 * @param {import('./beside.js').Beside} beside
 * @returns {import('./parts.js').Part}
 */
export function chatPart(beside) {
  const own = () => beside.state().snapshot?.you.participant ?? null;
  const chat = new Chat({
    send: beside.send,
    fetch: async () => (await get(`/api/seats/${encodeURIComponent(beside.seat)}/chat`)).messages,
    changed: beside.changed,
  });
  return {
    actions: {
      'chat-say': ({ text }) => {
        if (chat.say(text, own())) chat.draft = '';
      },
      'chat-draft': ({ text }) => {
        chat.draft = text;
      },
      'chat-retry': ({ id }) => chat.retry(id, own()),
      'chat-drop': ({ id, text }) => {
        chat.drop(id);
        chat.draft = chat.draft ? `${text}\n${chat.draft}` : text;
        beside.changed();
      },
      'chat-look': ({ open }) => chat.look(open),
    },
    heard: {
      chat: (message) => chat.heard(message, own()),
      joined: () => void chat.joined(own()),
    },
    strip: () => html`<div class="visually-hidden" aria-live="polite">${chat.news.size > 0 ? t('chat-news', { count: chat.news.size, name: chat.messages.at(-1)?.name ?? '' }) : ''}</div>`,
    panel: {
      name: 'chat', icon: 'chat', label: () => t('chat-title'),
      may: (state) => may(state, 'chat'),
      badge: () => chat.news.size,
      view: (state) => html`<hj-chat .chat=${chat} .people=${state.snapshot?.participants ?? []} .own=${own()} .seen=${chat.messages.length + chat.pending.length}
        .version=${chat.pending.map((one) => one.state).join()}></hj-chat>`,
    },
  };
}
