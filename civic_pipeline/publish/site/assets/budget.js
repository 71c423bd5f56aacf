// The budget: choose years, phase and unit; the choice is in the address. Bars and treemap show the same rows.
import { bar, cents, change, dollars, element, shape, short } from './format.js'

const sections = [...document.querySelectorAll('[data-budget]')].map(section => ({
  section,
  table: section.querySelector('table'),
  map: document.getElementById(`${section.dataset.budget}-map`),
  root: document.querySelector('.brand').getAttribute('href').replace('index.html', ''),
  data: JSON.parse(section.querySelector('[data-budget-data]').textContent),
}))
const { factors } = sections[0].data
const published = new Set(sections[0].data.published) // such as "2026 adopted"
const parts = [...published].map(text => [Number.parseInt(text), text.slice(text.indexOf(' ') + 1)])
const years = [...new Set(parts.map(([year]) => year))], phases = [...new Set(parts.map(([, phase]) => phase))].sort()
const start = new URLSearchParams(location.search)
const pick = (name, allowed, otherwise) => allowed.find(value => String(value) === start.get(name)) ?? otherwise
const phase = pick('phase', phases, phases.includes('adopted') ? 'adopted' : phases[0])
const own = years.filter(year => published.has(`${year} ${phase}`))
const state = {
  year: pick('year', years, own[0]),
  with: own.length > 1 ? pick('with', years, own[1]) : null,
  phase,
  unit: 'dollars',
  view: pick('view', ['bars', 'map'], 'bars'),
}
const base = Object.values(factors)[0]?.base
const units = {
  dollars: { title: 'dollars of the year', of: () => 1 },
  resident: { title: 'dollars per resident', of: year => 1 / factors[year]?.residents },
  real: { title: `dollars of ${base}, after inflation`, of: year => factors[year]?.price ?? NaN },
}
const usable = Object.keys(units).filter(unit => years.some(year => Number.isFinite(units[unit].of(year))))
state.unit = pick('unit', usable, 'dollars')

const form = document.querySelector('[data-budget-controls]')
function select(title, name, options, titles = options) {
  if (options.length < 2) return null
  const choice = element('select', { name }, ...options.map((value, i) => element('option', { value }, String(titles[i]))))
  choice.value = state[name]
  choice.addEventListener('change', () => {
    state[name] = options.find(value => String(value) === choice.value)
    show()
    remember()
  })
  return element('label', {}, title, ' ', choice)
}
function remember() {
  const address = new URL(location)
  for (const [key, value] of Object.entries(state)) address.searchParams.set(key, value)
  history.replaceState(null, '', address)
}
form.append(...[
  select('Fiscal year', 'year', years), own.length > 1 ? select('Compared with', 'with', years) : null,
  select('Phase', 'phase', phases), select('Amounts in', 'unit', usable, usable.map(unit => units[unit].title)),
].filter(Boolean))
form.hidden = !form.children.length

for (const part of sections) tabs(part)
if (location.search) show()

/** A name without an amount has none, in a year and phase that the city published; otherwise nobody knows. */
function value(row, year) {
  const key = `${year} ${state.phase}`
  return published.has(key) ? (row.amounts[key] ?? 0) * units[state.unit].of(year) : NaN
}

function show() {
  for (const part of sections) {
    const rows = part.data.rows.map(row => ({ ...row, now: value(row, state.year), before: state.with === null ? null : value(row, state.with) }))
      .filter(row => row.now || row.before || Number.isNaN(row.now)).sort((a, b) => b.now - a.now || b.before - a.before)
    part.shown = rows
    const unknown = rows.some(row => Number.isNaN(row.now) || Number.isNaN(row.before))
    const largest = Math.max(0, ...rows.map(row => Math.abs(row.now) || 0))
    part.table.querySelector('[data-year]').textContent = `FY ${state.year}`
    if (state.with !== null) part.table.querySelector('[data-with]').textContent = `FY ${state.with}`
    part.table.tBodies[0].replaceChildren(...rows.map(row => element('tr', {},
      element('th', { scope: 'row' }, row.href ? element('a', { href: part.root + row.href + location.search }, row.name) : row.name,
        row.note ? element('small', {}, row.note) : null, unknown ? null : bar(row.now, largest, row.before)),
      amount(row.now), ...(row.before === null ? [] : [element('td', { class: 'number' }, changed(row)), amount(row.before)]))))
    const total = key => rows.reduce((sum, row) => sum + (row[key] ?? 0), rows.length ? 0 : NaN)
    const whole = { now: total('now'), before: total('before') }
    const feet = part.table.querySelectorAll('tfoot td')
    feet[0].textContent = money(whole.now)
    if (state.with !== null) {
      feet[1].textContent = changed(whole)
      feet[2].textContent = money(whole.before)
    }
    const legend = part.section.querySelector('.legend')
    if (legend) legend.textContent = `The bar is fiscal year ${state.year}; the dark line on it is ${state.with}. Amounts are ${units[state.unit].title}.`
    const compared = part.section.querySelector('[data-comparability]')
    if (compared) compared.textContent = comparability(rows)
    if (part === sections[0]) {
      const words = document.querySelector('[data-base]')
      words.textContent = basis()
      words.hidden = !words.textContent
      document.querySelector('[data-total]').textContent = money(whole.now, short)
      document.querySelector('[data-total-words]').textContent = `${state.phase} for fiscal year ${state.year}` +
        against(whole) + (state.unit === 'dollars' ? '' : `, in ${units[state.unit].title}`)
    }
    if (!part.map.hidden) treemap(part)
  }
}

function money(value, written = state.unit === 'resident' ? cents : dollars) {
  return Number.isNaN(value) ? 'not known' : written(value)
}

function amount(value) {
  return element('td', { class: 'number', ...Number.isNaN(value) ? {} : { 'data-value': value.toFixed(2) } }, money(value))
}

function against(whole) {
  if (state.with === null) return ''
  return Number.isNaN(whole.before) ? `; ${state.with} is not known` : `, against ${short(whole.before)} in ${state.with} (${changed(whole)})`
}

/** A name that only one of the years has is new or ended, not a change. */
function changed({ now, before }) {
  if (Number.isNaN(now) || Number.isNaN(before)) return '–'
  if (now && before === 0) return 'new name'
  return before && now === 0 ? 'name ended' : change(now, before)
}

function comparability(rows) {
  const both = rows.filter(row => row.now && row.before)
  if (!both.length) return ''
  const share = 100 * both.reduce((sum, row) => sum + row.now, 0) / rows.reduce((sum, row) => sum + row.now, 0)
  return `Years are compared by name. ${both.length.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')} names are in both years; they are ` +
    `${share.toFixed(1)}% of fiscal year ${state.year}. A new name may be a new program, or an old one that was renamed, divided or merged.`
}

/** What the amounts are divided by, and who says so. */
function basis() {
  const { residents, counted, series } = factors[state.year] ?? {}
  if (state.unit === 'resident') return `Per resident: the dollars of a year divided by ${residents?.toLocaleString('en-US') ?? 'the number of'} residents (${counted ?? 'source not stated'}).`
  if (state.unit === 'real') return `After inflation: dollars of fiscal year ${base}, by the consumer price index ${series ?? ''} of the Bureau of Labor Statistics. A year without an index yet is not known.`
  return ''
}

function tabs(part) {
  const list = part.section.querySelector('[role=tablist]')
  const buttons = [...list.children]
  const open = chosen => {
    for (const button of buttons) {
      const isChosen = button === chosen
      button.setAttribute('aria-selected', isChosen)
      button.tabIndex = isChosen ? 0 : -1
      const panel = document.getElementById(button.getAttribute('aria-controls'))
      panel.setAttribute('role', 'tabpanel')
      panel.setAttribute('aria-labelledby', button.id)
      panel.hidden = !isChosen
    }
    if (part === sections[0] && state.view !== (part.map.hidden ? 'bars' : 'map')) {
      state.view = part.map.hidden ? 'bars' : 'map'
      remember()
    }
    if (!part.map.hidden) { if (!part.shown) show(); treemap(part) }
  }
  list.hidden = false
  list.addEventListener('click', event => event.target.role === 'tab' && open(event.target))
  list.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length]
    next.focus()
    open(next)
  })
  open(part === sections[0] && state.view === 'map' ? buttons[1] : buttons[0])
}

/** Boxes of the rows with money; each is a link where the row is one. Names that do not fit are cut by their box. */
function treemap(part) {
  const width = Math.max(300, Math.min(1100, part.section.clientWidth)), height = Math.round(Math.max(360, width * 0.5))
  const rows = part.shown.filter(row => row.now > 0)
  const root = d3.hierarchy({ children: rows }).sum(row => row.now ?? 0)
  d3.treemap().size([width, height]).paddingInner(2).round(true)(root)
  const all = root.value
  const drawing = shape('svg', { class: 'treemap', viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': `Treemap, fiscal year ${state.year}: the table has the same figures` })
  for (const [i, leaf] of (root.children ?? []).entries()) {
    const w = leaf.x1 - leaf.x0, h = leaf.y1 - leaf.y0
    if (w < 1 || h < 1) continue
    const row = leaf.data, words = `${row.name}: ${money(row.now)}, ${(100 * row.now / all).toFixed(1)}%`
    const box = shape('svg', { x: leaf.x0, y: leaf.y0, width: w, height: h }, shape('rect', { width: w, height: h, class: `box shade${i % 4}` }))
    if (w > 74 && h > 22) box.append(shape('text', { x: 7, y: 18, 'data-room': w - 12 }, row.name))
    if (w > 74 && h > 42) box.append(shape('text', { x: 7, y: 36, class: 'sum', 'data-room': w - 12 }, short(row.now)))
    const holder = row.href ? shape('a', { href: part.root + row.href + location.search, 'aria-label': words }) : shape('g', { role: 'img', 'aria-label': words })
    holder.append(shape('title', {}, words), box)
    drawing.append(holder)
  }
  queueMicrotask(() => drawing.querySelectorAll('[data-room]').forEach(shorten))
  const left = part.shown.length - rows.length
  part.map.replaceChildren(drawing, element('p', { class: 'legend' },
    `Each box is one row; its size is its share of ${short(all)}.` + (left ? ` ${left} rows of zero or less are only in the table.` : '')))
}

/** Cut a text that is wider than its box at a letter, with an ellipsis. */
function shorten(text) {
  const whole = text.textContent
  if (text.classList.contains('sum') && text.getComputedTextLength() > text.dataset.room) return text.remove() // half an amount would mislead
  for (let end = whole.length; end > 1 && text.getComputedTextLength() > text.dataset.room; end--) text.textContent = whole.slice(0, end - 1).trimEnd() + '…'
}
