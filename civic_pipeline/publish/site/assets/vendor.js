// One vendor: its rows are read from the Parquet file of all payments, by byte ranges.
import { field, save } from './csv.js'
import { answer, bar, cents, day, element, head, quote, scroll, short } from './format.js'
import { load, rowsOf } from './lookup.js'

const SHOWN = 200
const place = document.querySelector('[data-vendor]')
const name = new URLSearchParams(location.search).get('vendor')
if (name) show().catch(error => answer(`The payments could not be read: ${error.message}. Reload the page to try again.`))
else answer('Search for a vendor.')

async function show() {
  answer('Reading the payments …')
  const index = await load(place.dataset.index)
  const at = index.names.indexOf(name)
  if (at < 0) return answer(`This release has no vendor with the name “${name}”. Search for it: its spelling may have changed.`)
  const rows = await rowsOf(index, at, place.dataset.root, row => row.vendor === name)
  const marked = place.dataset.flags ? await fetch(place.dataset.flags).then(answer => answer.json()) : { vendors: {} }
  document.title = `${name} – Civic data`
  document.querySelector('h1').textContent = name
  document.querySelector('.crumbs [aria-current]').textContent = name
  document.querySelector('.strip b').textContent = rows.length.toLocaleString('en-US')
  place.replaceChildren(...page(rows, flags(marked)))
  answer(`in ${rows.length.toLocaleString('en-US')} payment lines, ${day(rows.at(-1).date)} to ${day(rows[0].date)}`, short(sum(rows)))
  quote(`vendor ${name}`)
}

function page(rows, marked) {
  const spellings = [...new Set((rows[0].spellings ?? '').split(' | ').filter(Boolean))]
  const years = grouped(rows, row => String(row.fiscal_year)).sort((a, b) => b.key.localeCompare(a.key))
  const agencies = grouped(rows, row => row.agency).sort((a, b) => b.amount - a.amount)
  const all = element('button', { type: 'button' }, `Download all ${rows.length.toLocaleString('en-US')} payment lines (CSV)`)
  all.addEventListener('click', () => save(`${name}.csv`, everything(rows)))
  return [
    spellings.length > 1 ? element('p', { class: 'note' }, `The city writes this vendor in ${spellings.length} ways: ${spellings.join('; ')}`) : '',
    ...table('By fiscal year', 'Fiscal year', years),
    ...table('By agency', 'Agency', agencies),
    ...marked,
    element('h2', {}, rows.length > SHOWN ? `The newest ${SHOWN} payment lines` : 'Payment lines'),
    list(rows.slice(0, SHOWN)),
    element('p', { class: 'downloads' }, all),
  ]
}

function table(title, column, groups) {
  const largest = Math.max(...groups.map(group => Math.abs(group.amount)))
  return [element('h2', {}, title), scroll(title, element('table', {},
    element('caption', { class: 'hidden' }, title),
    head([column, ''], ['Paid', 'number'], ['Payment lines', 'number']),
    element('tbody', {}, ...groups.map(group => element('tr', {},
      element('th', { scope: 'row' }, group.key, bar(group.amount, largest)),
      element('td', { class: 'number' }, cents(group.amount)),
      element('td', { class: 'number' }, group.count.toLocaleString('en-US')))))))]
}

function list(rows) {
  return scroll('Payments', element('table', { 'data-table': 'payments' },
    element('caption', { class: 'hidden' }, 'Payments'),
    head(['Date', ''], ['Agency', ''], ['For', ''], ['Contract', ''], ['Paid', 'number']),
    element('tbody', {}, ...rows.map(row => element('tr', {},
      element('th', { scope: 'row', class: 'day', 'data-value': row.date }, day(row.date)), element('td', {}, row.agency), element('td', {}, row.category ?? ''),
      element('td', {}, row.contract ?? ''), element('td', { class: 'number' }, cents(row.amount)))))))
}

/** What was flagged about this vendor, with what may explain it. */
function flags({ tests, vendors }) {
  const own = Object.hasOwn(vendors, name) ? vendors[name] : []
  if (!own.length) return []
  return [
    element('h2', {}, 'Payments that deserve a second look'),
    element('p', {}, 'A flag is a question, not a finding. It names no wrongdoing.'),
    scroll('Flags', element('table', { 'data-table': 'flags' },
      element('caption', { class: 'hidden' }, 'Flags'),
      head(['Flag', ''], ['Agency', ''], ['From', ''], ['To', ''], ['Flagged', 'number'], ['How common', ''], ['What may explain it', '']),
      element('tbody', {}, ...own.map(([test, agency, from, to, amount, common]) => element('tr', {},
        element('th', { scope: 'row' }, tests[test].title, element('small', {}, tests[test].what)), element('td', {}, agency), element('td', { class: 'day' }, day(from)),
        element('td', { class: 'day' }, day(to)), element('td', { class: 'number' }, cents(amount)), element('td', {}, common), element('td', {}, tests[test].innocent))))))]
}

const sum = rows => rows.reduce((cent, row) => cent + Math.round(row.amount * 100), 0) / 100

function grouped(rows, key) {
  const groups = new Map()
  for (const row of rows) groups.set(key(row), [...groups.get(key(row)) ?? [], row])
  return [...groups].map(([text, members]) => ({ key: text, amount: sum(members), count: members.length }))
}

function everything(rows) {
  const columns = ['vendor', 'date', 'fiscal_year', 'agency', 'category', 'contract', 'amount']
  const lines = rows.map(row => columns.map(column => field(column === 'amount' ? row[column].toFixed(2) : row[column])).join(','))
  return [columns.join(','), ...lines].join('\r\n') + '\r\n'
}
