// One property's time line, and its whole block: the rows of the block are read from a Parquet file by byte ranges.
import { field, save } from './csv.js'
import { answer, day, element, head, quote, scroll } from './format.js'
import { load, rowsOf } from './lookup.js'

const place = document.querySelector('[data-block]')
const asked = new URLSearchParams(location.search)
const block = asked.get('block'), chosen = asked.get('property')
if (block) show().catch(error => answer(`The block could not be read: ${error.message}. Reload the page to try again.`))
else answer('Search for a property.')

async function show() {
  answer('Reading the records …')
  const index = await load(place.dataset.index)
  const at = index.blocks.indexOf(block)
  if (at < 0) return answer(`No list of this release has a vacant building on block ${block}.`)
  const rows = await rowsOf(index, at, place.dataset.root, row => row.block === block)
  const properties = Object.values(Object.groupBy(rows, row => row.property))
  const own = properties.find(([first]) => first.property === chosen)
  const title = own ? own[0].address ?? named(own[0]) : `Block ${block}`
  document.title = `${title} – Civic data`
  document.querySelector('h1').textContent = title
  document.querySelector('.crumbs [aria-current]').textContent = title
  document.querySelector('.strip b').textContent = rows.length.toLocaleString('en-US')
  const download = element('button', { type: 'button' }, `Download the ${rows.length} records of the block (CSV)`)
  download.addEventListener('click', () => save(`block-${block}.csv`, everything(rows)))
  place.replaceChildren(...own ? timeLine(own) : [], ...wholeBlock(properties, own), element('p', { class: 'downloads' }, download))
  if (!own) answer('properties of this block are on the newest list of vacant buildings', `${vacantOf(properties)} of ${properties.length}`)
  else if (!own[0].is_vacant) answer('by the newest list of vacant buildings', 'Not vacant')
  else answer(`since the earliest notice that any list shows; ${years(own[0].years_published)} years since the newest, the only day that the city publishes`,
    `${years(own[0].years_true)} years`)
  quote(own ? `property ${chosen}` : `block ${block}`)
}

const named = row => row.property.replace('|', ' ')
const years = age => age === null || age === undefined ? '' : age.toFixed(1)

function timeLine(rows) {
  const { neighborhood } = rows[0]
  const events = rows.filter(row => row.date)
  return [
    element('p', {}, `Block and lot ${named(rows[0])}${neighborhood ? `, ${neighborhood}` : ''}.`),
    element('h2', {}, 'What happened here'),
    events.length ? scroll('Time line', element('table', { 'data-table': 'time-line' },
      element('caption', { class: 'hidden' }, 'Time line of the property'),
      head(['Day', ''], ['Event', ''], ['Record', ''], ['Source', ''], ['First seen in the capture of', ''], ['Still listed', '']),
      element('tbody', {}, ...events.map(row => element('tr', {},
        element('th', { scope: 'row', class: 'day', 'data-value': row.date }, day(row.date)), element('td', {}, row.event),
        element('td', {}, row.record ?? 'not stated'),
        element('td', {}, element('a', { href: `${place.dataset.root}data/clean.${row.source_table}/index.html` }, row.source)),
        element('td', { class: 'day', 'data-value': row.capture }, day(row.capture.split('/').pop())),
        element('td', {}, row.is_listed ? 'yes' : 'no')))))) : element('p', {}, 'No source has a record of this property.'),
  ]
}

const vacantOf = properties => properties.filter(([first]) => first.is_vacant).length

function wholeBlock(properties, own) {
  return [
    ...own ? [
      element('h2', {}, `The whole block ${block}`),
      element('p', {}, `${vacantOf(properties)} of its ${properties.length} properties are on the newest list of vacant buildings.`),
    ] : [],
    scroll('Properties of the block', element('table', { 'data-table': 'block' },
      element('caption', { class: 'hidden' }, `Properties of block ${block}`),
      head(['Property', ''], ['Block and lot', ''], ['Vacant', ''], ['Years since the newest notice', 'number'], ['Years since the earliest notice', 'number'], ['Records', 'number'], ['Newest record', '']),
      element('tbody', {}, ...properties.map(rows => element('tr', {},
        element('th', { scope: 'row', class: 'whole' }, element('a', { href: `?${new URLSearchParams({ block, property: rows[0].property })}`, ...rows === own ? { 'aria-current': 'page' } : {} }, rows[0].address ?? 'No address')),
        element('td', { class: 'day' }, named(rows[0])), element('td', {}, rows[0].is_vacant ? 'vacant' : 'no'),
        element('td', { class: 'number' }, years(rows[0].years_published)), element('td', { class: 'number' }, years(rows[0].years_true)),
        element('td', { class: 'number' }, String(rows.filter(row => row.date).length)),
        element('td', {}, rows[0].date ? `${day(rows[0].date)}: ${rows[0].event}` : 'none')))))),
  ]
}

function everything(rows) {
  const columns = Object.keys(rows[0])
  return [columns.join(','), ...rows.map(row => columns.map(column => field(row[column])).join(','))].join('\r\n') + '\r\n'
}
