// The sessions of a transformer: its step, and a rollout as one run. Where there are rollouts, each is loaded when it is first asked
// for: it takes the memory of the weights on a device that may have little, and a search that uses the one seldom needs the other.

import type { Ledger } from '../../core/ledger.js';
import type { Session } from '../../runtime/index.js';
import type { CodeLayout } from './codes.js';
import type { ScaleSchedule } from './schedule.js';

/** What a rollout's graph is made for: how many scales are drawn, and of which picture. */
export interface RolloutPlan {
  readonly schedule: ScaleSchedule;
  readonly until: number;
  readonly layout: CodeLayout;
}

/** How sessions are loaded. */
interface Loaders {
  step(): Promise<Session>;
  rollout(plan: RolloutPlan): Promise<Session>;
}

/** The sessions of one transformer. */
export class TransformerSessions {
  /** Whether rollouts are drawn in one run. */
  readonly oneRun: boolean;
  readonly #loaders: Loaders;
  #step: Promise<Session> | null = null;
  /** One at a time: who draws pictures of another size has done with those before. */
  #rollout: { readonly name: string; readonly session: Session } | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(loaders: Loaders, oneRun: boolean) {
    this.#loaders = loaders;
    this.oneRun = oneRun;
  }

  step(): Promise<Session> {
    return (this.#step ??= this.#loaders.step());
  }

  /** Gives `use` the session of a rollout, which stays loaded until it is done; loading is told to the ledger. */
  rollout<T>(plan: RolloutPlan, ledger: Ledger, use: (session: Session) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => use(await this.#loaded(plan, ledger)));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Frees them once all calls made before are done. */
  async dispose(): Promise<void> {
    await this.#turn;
    this.#rollout?.session.dispose();
    (await this.#step?.catch(() => null))?.dispose();
  }

  async #loaded(plan: RolloutPlan, ledger: Ledger): Promise<Session> {
    const name = JSON.stringify(plan);
    if (this.#rollout?.name === name) return this.#rollout.session;
    this.#rollout?.session.dispose();
    this.#rollout = null;
    const session = await ledger.time('load', () => this.#loaders.rollout(plan));
    this.#rollout = { name, session };
    return session;
  }
}
