import type { Delivered } from "@plantain/core/job/ports";
import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";

type Message = {
  readonly number: number;
  readonly body: string;
  /** The message group, which is the tenant. */
  readonly group: string;
  visibleAt: number;
  /** From then on it may be received once more, though it is hidden: a replica missed the receive. */
  ghostAt: number | null;
  receives: number;
  receipt: number;
  isDeleted: boolean;
};

export type Received = { readonly id: string; readonly body: string; readonly delivered: Delivered };

/** An SQS standard queue: at least once, in any order, hidden for a while, set aside after five receives. */
export type Queue = {
  send(body: string, group: string, delayMs: number): Promise<void>;
  /** Up to `limit` visible messages, hidden for `hiddenMs`. */
  receive(limit: number, hiddenMs: number): Received[];
  readonly visible: number;
  /** Messages that are there, visible or not. */
  readonly size: number;
  /** Messages that there ever were. */
  readonly sent: number;
  /** Called whenever a message becomes visible. */
  onVisible: (() => void) | null;
  /** Called with the body of each message that is set aside. */
  onDeadLetter: ((body: string) => void) | null;
};

const maxReceives = 5;
/** Share of receives in which fairness is not to be had. */
const unfair = 0.1;

export function queue(timeline: Timeline, dice: Dice, duplicates: number): Queue {
  let messages: Message[] = [];
  let sent = 0;

  const visible = () =>
    messages.filter(
      ({ visibleAt, ghostAt }) => visibleAt <= timeline.now || (ghostAt !== null && ghostAt <= timeline.now),
    );
  const remove = (message: Message) => {
    message.isDeleted = true;
    messages = messages.filter((other) => other !== message);
  };
  const show = (message: Message, at: number) => {
    message.visibleAt = at;
    timeline.at(at, () => {
      if (!message.isDeleted && message.visibleAt === at) self.onVisible?.();
    });
  };

  /** A fair queue mostly passes over the group that has most of what is being worked on, while others have messages. */
  function fairly(shuffled: readonly Message[]): readonly Message[] {
    const groups = new Set(shuffled.map(({ group }) => group));
    if (groups.size < 2 || dice.chance(unfair)) return shuffled;
    const working = messages.filter(({ visibleAt, receipt }) => receipt > 0 && visibleAt > timeline.now);
    const share = (of: string) => working.filter(({ group }) => group === of).length;
    const shares = new Map(Array.from(groups, (group) => [group, share(group)]));
    return shuffled.toSorted((a, b) => (shares.get(a.group) ?? 0) - (shares.get(b.group) ?? 0));
  }

  /** The same message once more, though somebody has it: half of the time as a copy that no deletion reaches. */
  function haunt(message: Message): void {
    const at = timeline.now + dice.between(0, 30_000);
    if (dice.chance(0.5)) {
      message.ghostAt = at;
      timeline.at(at, () => self.onVisible?.());
    } else {
      add(message.body, message.group, at);
    }
  }

  function add(body: string, group: string, visibleAt: number): void {
    sent += 1;
    const message = {
      number: sent,
      body,
      group,
      visibleAt,
      ghostAt: null,
      receives: 0,
      receipt: 0,
      isDeleted: false,
    };
    messages.push(message);
    show(message, visibleAt);
  }

  /** A message as it was received: its receipt may have been outdated by a later receive. */
  function delivered(message: Message, receipt: number): Delivered {
    const counts = () => receipt === message.receipt || dice.chance(0.5);
    return {
      async extend(ms) {
        if (message.isDeleted || message.visibleAt <= timeline.now) {
          throw new Error(
            "Simulated: the message does not exist or is not available for a visibility change",
          );
        }
        if (counts()) show(message, timeline.now + Math.ceil(ms / 1000) * 1000);
      },
      async ack() {
        if (message.isDeleted || !counts() || dice.chance(duplicates / 5)) return;
        remove(message);
      },
    };
  }

  const self: Queue = {
    async send(body, group, delayMs) {
      add(body, group, timeline.now + Math.ceil(delayMs / 1000) * 1000);
    },
    receive(limit, hiddenMs) {
      const received: Received[] = [];
      for (const message of fairly(dice.shuffled(visible()))) {
        if (received.length === limit) break;
        message.receives += 1;
        if (message.receives > maxReceives) {
          remove(message);
          self.onDeadLetter?.(message.body);
          continue;
        }
        message.receipt += 1;
        message.ghostAt = null;
        show(message, timeline.now + hiddenMs);
        if (dice.chance(duplicates)) haunt(message);
        received.push({
          id: `m${message.number}.${message.receipt}`,
          body: message.body,
          delivered: delivered(message, message.receipt),
        });
      }
      return received;
    },
    get size() {
      return messages.length;
    },
    get sent() {
      return sent;
    },
    get visible() {
      return visible().length;
    },
    onVisible: null,
    onDeadLetter: null,
  };
  return self;
}
