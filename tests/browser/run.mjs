// Drives headless Chromium over the pages of a real server: what people do there, and what hostile words must not do.
// usage: node run.mjs PATH-OF-THE-SERVER      (tests/run builds it; the screenshots are then in shots/)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import assert from 'node:assert/strict';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const HERE = new URL('.', import.meta.url).pathname;
const SHOTS = `${HERE}shots`;

const give = (problem) => { console.error(problem); process.exit(1); };
if (Number(process.versions.node.split('.')[0]) < 20) give('Node.js 20 or newer is needed: install it from https://nodejs.org or your distribution');
if (!existsSync(CHROMIUM)) give(`there is no ${CHROMIUM}: run 'apt-get install chromium', or say by CHROMIUM= where it is`);
if (!existsSync(`${HERE}node_modules`)) give(`run 'npm ci' in ${HERE} first`);
const { chromium } = await import('playwright-core');
const axe = readFileSync(`${HERE}node_modules/axe-core/axe.min.js`, 'utf8');

const server = spawn(process.argv[2] ?? give('say which server to start'), { stdio: ['pipe', 'pipe', 'inherit'] });
const stopped = once(server, 'exit');
const said = createInterface({ input: server.stdout });
const [line] = await Promise.race([once(said, 'line'), stopped]);
if (typeof line !== 'string') give(`the server ended at once, with ${line}`);
const { origin, link, hostile_name: hostileName, expired, keys } = JSON.parse(line);

rmSync(SHOTS, { recursive: true, force: true });
mkdirSync(SHOTS);
const launch = () => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
// Chromium itself crashes now and then while it starts, before it has seen a page.
const browser = await launch().catch((error) => {
  console.error(`the browser did not start and is started once more: ${error.message.split('\n')[0]}`);
  return launch();
});

const wrong = [];
const DESK = { viewport: { width: 1100, height: 800 }, colorScheme: 'light' };
const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'dark', isMobile: true, hasTouch: true };
const path = (...parts) => `${origin}/admin/${parts.map(encodeURIComponent).join('/')}`;
const order = (id) => path('entities', 'Order', id);

/** A browser of its own for somebody, whose complaints are kept. */
async function visitor(options) {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => wrong.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => { wrong.push(`${page.url()}: a dialog opened`); dialog.dismiss(); });
  page.on('console', (said) => { if (/Content.Security.Policy|Refused/i.test(said.text())) wrong.push(`${page.url()}: ${said.text()}`); });
  page.on('request', (request) => { if (!request.url().startsWith(origin)) wrong.push(`${page.url()} asks for ${request.url()}`); });
  return page;
}

async function signIn(key, options = DESK) {
  const page = await visitor(options);
  await page.goto(`${origin}/admin`);
  await page.fill('#key', key);
  await page.click('button[type=submit]');
  return page;
}

/** The card of what is asked for on an order, by the way that a person takes. */
async function card(page, id) {
  await page.goto(`${origin}/admin`);
  await page.locator('li', { has: page.getByRole('link', { name: `Order/${id}`, exact: true }) }).getByRole('link').first().click();
  await page.waitForURL('**/admin/approvals/**');
}

async function answer(page, choice, reason) {
  await page.fill('#reason', reason);
  await Promise.all([page.waitForResponse((got) => got.request().method() === 'POST'), page.click(`button[value=${choice}]`)]);
  await page.waitForLoadState();
}

/** What the agent asks for on an order while people look at their pages. */
async function ask(id) {
  const told = await fetch(`${origin}/entities/${id}/actions/REFUND_ORDER/approvals`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.agent}`, 'content-type': 'application/json' },
    body: JSON.stringify({ entity_type: 'Order', approval_id: `of-${id}`, parameters: { amount: 4_900, reason: 'late' } }),
  });
  assert.equal(told.status, 201, await told.text());
}

const says = async (page, words) => assert.ok((await page.textContent('body')).includes(words), `${page.url()} does not say "${words}"`);

/** As when another tab is chosen, or this one again: a browser without a screen shows all of its pages at once. */
const show = (page, isShown) => page.evaluate((isShown) => {
  Object.defineProperty(document, 'hidden', { configurable: true, value: !isShown });
  document.dispatchEvent(new Event('visibilitychange'));
}, isShown);

/** Begins to listen anew. */
async function again(page) {
  await show(page, false);
  await show(page, true);
}

/** What holds on every page: nothing runs, nothing hides, nothing sticks out, and axe has no complaint. */
async function inspect(page, name) {
  await (process.env.CI ? page.waitForLoadState() : page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true }));
  const seen = await page.evaluate(() => ({
    hacked: window.hacked, html: document.documentElement.outerHTML,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    broken: [...document.querySelectorAll('.kind')].filter((kind) => kind.getClientRects().length > 1).map((kind) => kind.textContent),
  }));
  assert.equal(seen.hacked, undefined, `${name}: what an agent wrote was run`);
  assert.doesNotMatch(seen.html, /[\u202e\u200b]/, `${name}: a character hides`);
  assert.ok(seen.wide <= 0, `${name}: it is ${seen.wide} pixels too wide`);
  assert.deepEqual(seen.broken, [], `${name}: a kind of actor is broken over two lines`);
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
  assert.ok(passes.some(({ id }) => id === 'color-contrast') && passes.length > 10, `${name}: axe did not really run`);
  for (const { id, help, nodes } of violations) wrong.push(`${name}: ${id}: ${help}: ${nodes.map((node) => node.target).slice(0, 3).join(' | ')}`);
}

const steps = {
  async 'only people get in, with a key of their own'() {
    const page = await signIn(keys.agent);
    await says(page, 'these pages are for people');
    await page.goto(`${origin}/admin/sign-in`);
    await inspect(page, 'desk-sign-in');
    await page.fill('#key', 'kiff_nothing');
    await page.click('button[type=submit]');
    await says(page, 'This key or token is not good');
    // Whoever hears the page is in the field at once, and hears there what was wrong.
    await page.waitForFunction(() => document.activeElement.matches('#key[aria-invalid=true]'));
    const heard = await page.evaluate(() => document.getElementById(document.activeElement.getAttribute('aria-describedby'))?.textContent);
    assert.match(heard ?? '', /This key or token is not good/);
    await inspect(page, 'desk-refused');
    await page.context().close();
  },

  async 'a link signs in once'() {
    const page = await visitor(DESK);
    await page.goto(origin + link);
    await says(page, 'signs you in once, as nora');
    await inspect(page, 'desk-link');
    await page.click('button[type=submit]');
    await says(page, 'signed in as nora');
    await page.click('text=Sign out');
    await page.goto(origin + link);
    await says(page, 'This link has been used');
    await page.context().close();
  },

  async 'every page holds on a desk and, dark, on a phone'() {
    for (const [name, options] of [['desk', DESK], ['phone', PHONE]]) {
      const page = await signIn(keys.nora, options);
      await page.waitForURL('**/admin');
      await inspect(page, `${name}-inbox`);
      await card(page, hostileName);
      for (const words of ['<script>window.hacked=1</script>', '\\u{202e}999\\u{200b}', 'This is its claim']) await says(page, words);
      await inspect(page, `${name}-card`);
      await page.goto(order(hostileName));
      await inspect(page, `${name}-entity`);
      const [kind, actor, filters, table] = await Promise.all(['label[for=kind]', 'label[for=actor]', 'form.filters', 'table[aria-label=Timeline]']
        .map((part) => page.locator(part).boundingBox()));
      assert.ok(name === 'phone' || Math.abs(kind.y - actor.y) < 1, `the labels of the filter are ${kind.y - actor.y} pixels apart`);
      assert.ok(table.y - filters.y - filters.height >= 8, 'the filter touches the timeline');
      const unnamed = page.locator('table[aria-label=Timeline] td:not(.wide):not([data-label])');
      assert.equal(await unnamed.count(), 0, 'on a phone, a cell of the timeline has no name');
      await page.locator('details').last().locator('summary').click();
      await inspect(page, `${name}-details`);
      await page.goto(`${order('ord-12')}?verify=yes`);
      await says(page, 'follows on the one before');
      await inspect(page, `${name}-verified`);
      await page.goto(path('entities', 'Ship', 'fram'));
      await says(page, 'PHASE15');
      await inspect(page, `${name}-thirty-states`);
      for (const domain of ['refund', 'voyage']) {
        await page.goto(path('domains', domain));
        await inspect(page, `${name}-domain-${domain}`);
      }
      await page.goto(`${origin}/admin/search?actor=agent-7`);
      await inspect(page, `${name}-search`);
      await page.goto(`${origin}/admin/doubt`);
      await inspect(page, `${name}-doubts`);
      await page.click('text=MARK_PAID');
      await inspect(page, `${name}-doubt`);
      await page.goto(order('nothing'));
      await inspect(page, `${name}-not-found`);
      await page.context().close();
    }
  },

  async 'a receipt is downloaded, and believed by whoever has the public key'() {
    const page = await signIn(keys.nora);
    await page.goto(order('ord-12'));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download the receipt of commit 3')]);
    assert.equal(download.suggestedFilename(), 'Order-ord-12-3.receipt');
    const learned = once(said, 'line');
    server.stdin.write(`${await download.path()}\n`);
    assert.equal((await learned)[0], 'commit 3 of Order/ord-12');
    await page.context().close();
  },

  async 'what has expired can no longer be answered'() {
    const page = await signIn(keys.nora);
    await page.goto(order('expired'));
    assert.equal(await page.getByRole('heading', { name: 'Approvals' }).count(), 0);
    await page.goto(path('approvals', 'Order', 'expired', expired));
    await says(page, 'expired');
    assert.equal(await page.locator('#reason').count(), 0);
    await inspect(page, 'desk-expired');
    await page.context().close();
  },

  async 'who may not approve gets no form, and who may see nothing an empty inbox'() {
    const ada = await signIn(keys.ada);
    await card(ada, 'ord-12');
    await says(ada, 'You cannot answer this');
    assert.equal(await ada.locator('#reason').count(), 0);
    await ada.context().close();
    const ida = await signIn(keys.ida);
    await says(ida, 'Nothing waits for you');
    await inspect(ida, 'desk-empty');
    await ida.context().close();
  },

  async 'what one person decides leaves the inbox of the other'() {
    const [nora, omar] = [await signIn(keys.nora), await signIn(keys.omar)];
    await omar.waitForURL('**/admin');
    const row = omar.getByRole('link', { name: 'Order/ord-1', exact: true });
    assert.equal(await row.count(), 1);
    await omar.evaluate(() => { window.same = true; });
    await card(nora, 'ord-1');
    await answer(nora, 'grant', 'seen the photo');
    await says(nora, 'granted by nora');
    await says(nora, 'seen the photo');
    await says(nora, 'Granted. It may run once, by whoever holds the role agent');
    await inspect(nora, 'desk-granted');
    await row.waitFor({ state: 'detached' });
    assert.equal(await omar.evaluate(() => window.same), true, 'the page was loaded anew');
    await nora.goto(order('ord-1'));
    await nora.click('text=Download the receipt of its last commit');
    await says(nora, 'there is no receipt yet');
    await card(nora, 'ord-2');
    await answer(nora, 'deny', 'no photo');
    await says(nora, 'denied by nora');
    for (const page of [nora, omar]) await page.context().close();
  },

  async 'the second of two reviewers is told'() {
    const [nora, omar] = [await signIn(keys.nora), await signIn(keys.omar)];
    for (const page of [nora, omar]) await card(page, 'ord-3');
    await omar.fill('#reason', 'too much');
    await answer(nora, 'grant', 'fine');
    await omar.locator('#live').waitFor({ state: 'visible' });
    assert.equal(await omar.inputValue('#reason'), 'too much', 'what was being written is lost');
    await inspect(omar, 'desk-changed');
    await answer(omar, 'deny', 'too much');
    await says(omar, 'was already granted by `nora`');
    await inspect(omar, 'desk-second');
    assert.equal(await omar.inputValue('#reason'), 'too much');
    await answer(omar, 'withdraw', 'too much');
    await says(omar, 'withdrawn by omar');
    await inspect(omar, 'desk-withdrawn');
    for (const page of [nora, omar]) await page.context().close();
  },

  async 'what is being chosen is not lost when something changes'() {
    const [nora, omar] = [await signIn(keys.nora), await signIn(keys.omar)];
    await nora.goto(order('ord-8'));
    await nora.selectOption('#kind', 'state_changed');
    await card(omar, 'ord-8');
    await answer(omar, 'grant', 'fine');
    await nora.locator('#live').waitFor({ state: 'visible' });
    assert.equal(await nora.inputValue('#kind'), 'state_changed', 'what was being chosen is lost');
    // Nothing more happens to what is in doubt, so that its page is made to say something else.
    await nora.goto(path('doubt', 'Order', 'in-doubt'));
    await nora.check('input[value=not]');
    await nora.route('**/admin/doubt/**', async (route) => {
      const got = await route.fetch();
      await route.fulfill({ response: got, body: (await got.text()).replace('What happened so far', 'What has happened') });
    });
    await card(omar, 'ord-9');
    await answer(omar, 'grant', 'fine');
    await nora.locator('#live').waitFor({ state: 'visible' });
    assert.ok(await nora.isChecked('input[value=not]'), 'what was being chosen is lost');
    for (const page of [nora, omar]) await page.context().close();
  },

  async 'who reads with the keyboard keeps their place when something changes'() {
    const [nora, omar] = [await signIn(keys.nora), await signIn(keys.omar)];
    await card(nora, 'ord-10');
    await nora.focus('#reason');
    await card(omar, 'ord-10');
    await answer(omar, 'grant', 'fine');
    await nora.locator('#live').waitFor({ state: 'visible' });
    assert.equal(await nora.evaluate(() => document.activeElement.id), 'reason', 'the keyboard is somewhere else');
    for (const page of [nora, omar]) await page.context().close();
  },

  async 'the ninth tab is as quick as the first, which catches up when it is seen'() {
    const first = await signIn(keys.nora);
    await first.waitForURL('**/admin');
    const row = first.getByRole('link', { name: 'Order/ord-7', exact: true });
    const tabs = [first];
    while (tabs.length < 9) {
      await show(tabs.at(-1), false);
      const tab = await first.context().newPage();
      tab.setDefaultTimeout(60_000);
      await tab.goto(`${origin}/admin`);
      tabs.push(tab);
    }
    const last = tabs.at(-1);
    await card(last, 'ord-7');
    await answer(last, 'grant', 'seen from the last tab');
    await says(last, 'granted by nora');
    assert.equal(await row.count(), 1);
    await show(first, true);
    await row.waitFor({ state: 'detached' });

    // Six beside one another have all connections, and what is sent needs one.
    const next = await first.locator('a[href*="/approvals/Order/ord-11/"]').getAttribute('href');
    await Promise.all(tabs.slice(1, 5).map((tab) => Promise.all([tab.waitForResponse('**/admin/live'), show(tab, true)])));
    await show(last, false);
    await Promise.all([last.waitForResponse('**/admin/live'), last.goto(origin + next)]);
    await answer(last, 'grant', 'seen beside five others');
    await says(last, 'granted by nora');
    await first.context().close();
  },

  async 'a page that is not kept up to date says so, and catches up'() {
    const page = await signIn(keys.nora);
    await page.waitForURL('**/admin');
    // As while one server takes the place of another.
    await page.route(/\/admin(\/live)?$/, (route) => route.fulfill({ status: 503, body: 'away' }));
    await again(page);
    await page.locator('#live', { hasText: 'This page is no longer kept up to date' }).waitFor();
    await inspect(page, 'desk-lost');
    await ask('late-1');
    const row = page.getByRole('link', { name: 'Order/late-1', exact: true });
    assert.equal(await row.count(), 0);
    await page.unrouteAll({ behavior: 'wait' });
    await row.waitFor();
    await page.locator('#live').waitFor({ state: 'hidden' });

    const other = await page.context().newPage();
    await other.goto(`${origin}/admin`);
    await other.click('text=Sign out');
    await other.waitForURL('**/sign-in');
    await again(page);
    await page.locator('#live', { hasText: 'You are no longer signed in' }).waitFor();
    await page.click('#live a');
    await page.waitForURL('**/sign-in');
    await page.context().close();
  },

  async 'times go on by themselves, each minute and when a request expires'() {
    const first = await signIn(keys.nora);
    await first.waitForURL('**/admin');
    const ends = await first.locator('time', { hasText: /^in / })
      .evaluateAll((times) => Math.min(...times.map((time) => Date.parse(time.dateTime))));
    const shortMinutes = () => {
      const wait = window.setTimeout;
      window.setTimeout = (call, left) => wait(call, left === 60_000 ? 1_000 : left);
    };
    const shortlyBefore = (ends) => {
      const now = Date.now.bind(Date);
      const ahead = ends - 3_000 - now();
      Date.now = () => now() + ahead;
    };
    for (const hurry of [shortMinutes, shortlyBefore]) {
      const page = await first.context().newPage();
      await page.addInitScript(hurry, ends);
      let looks = 0;
      await page.route(/\/admin$/, async (route) => {
        const got = await route.fetch();
        const body = await got.text();
        if (!route.request().isNavigationRequest()) looks += 1;
        // It looks once because it begins to listen.
        await route.fulfill({ response: got, body: looks > 1 ? body.replace(/>[^<>]+ ago<\/time>/g, '>long ago</time>') : body });
      });
      await page.goto(`${origin}/admin`);
      await page.evaluate(() => { window.same = document.querySelector('main'); });
      await page.getByText('long ago').first().waitFor({ timeout: 30_000 });
      assert.ok(await page.evaluate(() => window.same === document.querySelector('main')), 'more than the times was replaced');
      await page.unrouteAll({ behavior: 'wait' });
      await page.close();
    }
    await first.context().close();
  },

  async 'one look is made at a time, and a chain is checked only when somebody asks'() {
    const page = await signIn(keys.nora);
    await page.waitForURL('**/admin');
    await page.addInitScript(() => {
      window.EventSource = class extends window.EventSource {
        constructor(...told) { super(...told); window.source = this; }
      };
    });
    const asked = [];
    let begin, release;
    const [begun, released] = [new Promise((told) => { begin = told; }), new Promise((told) => { release = told; })];
    await page.route(/\/entities\/Order\/late-2/, async (route) => {
      if (route.request().isNavigationRequest()) return route.continue();
      asked.push(route.request().url());
      const got = await route.fetch();
      begin();
      await released;
      return route.fulfill({ response: got });
    });
    await page.goto(`${order('late-2')}?verify=yes`);
    await begun;
    const changed = () => page.evaluate(() => window.source.dispatchEvent(new Event('changed')));
    await changed();
    await page.waitForTimeout(1_000);
    assert.equal(asked.length, 1, 'it looks twice at a time');
    await ask('late-2');
    await page.locator('main a').first().focus();
    release();
    await page.locator('#live', { hasText: 'Something has changed' }).waitFor();
    await says(page, 'follows on the one before');
    await page.evaluate(() => document.activeElement.blur());
    await changed();
    await page.getByRole('heading', { name: 'Approvals' }).waitFor();
    await page.locator('#live').waitFor({ state: 'hidden' });
    assert.equal(page.url(), order('late-2'));
    for (const url of asked) assert.equal(url, order('late-2'));
    await page.unrouteAll({ behavior: 'wait' });
    await page.context().close();
  },

  async 'the keyboard is enough'() {
    const page = await visitor(DESK);
    await page.goto(`${origin}/admin`);
    // The field takes the keyboard by itself, a moment after the page is there.
    await page.waitForFunction(() => document.activeElement.matches('input'));
    await page.keyboard.type(keys.nora);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/admin');
    const tabTo = async (wanted) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), wanted)) return;
      }
      assert.fail(`Tab does not lead to ${wanted}`);
    };
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    await tabTo('a[href*="/approvals/Order/ord-4/"]');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/approvals/Order/ord-4/**');
    await tabTo('#reason');
    await page.keyboard.type('by keyboard');
    await tabTo('button[value=grant]');
    await page.keyboard.press('Enter');
    await page.getByText('granted', { exact: true }).waitFor();
    await page.context().close();
  },

  async 'everything goes without JavaScript'() {
    const page = await signIn(keys.nora, { ...DESK, javaScriptEnabled: false });
    for (const [id, choice, done] of [['ord-5', 'grant', 'granted by nora'], ['ord-6', 'deny', 'denied by nora']]) {
      await card(page, id);
      await answer(page, choice, 'without a script');
      await says(page, done);
    }
    await page.goto(`${origin}/admin/search`);
    await page.fill('#entity', 'ord-5');
    await page.click('main button[type=submit]');
    await page.waitForURL('**/entities/Order/ord-5');
    await page.click('text=Check the whole chain');
    await says(page, 'follows on the one before');
    await page.selectOption('#kind', 'state_changed');
    await page.click('main button[type=submit]');
    await says(page, 'CREATED -> PAID');
    await page.goto(path('doubt', 'Order', 'in-doubt'));
    await page.check('input[value=not]');
    await page.locator('#reason').fill('the bank has no such payment');
    await page.click('text=Settle it');
    await page.waitForLoadState();
    await page.goto(`${origin}/admin/doubt`);
    await says(page, 'Nothing is in doubt');
    await page.click('text=Sign out');
    await page.goto(`${origin}/admin`);
    await page.waitForURL('**/sign-in');
    await page.context().close();
  },
};

for (const [name, step] of Object.entries(steps)) {
  const start = Date.now();
  try { await step(); } catch (error) { wrong.push(`${name}: ${error.message}`); }
  console.log(`${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}
await browser.close();
server.stdin.end();
const [code] = await stopped;
if (code !== 0) wrong.push(`the server ended with ${code}`);
if (wrong.length > 0) give(`\n${wrong.join('\n')}`);
console.log('the pages hold');
