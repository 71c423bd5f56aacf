// Every page: filters and CSV of tables, and a line that turns amber when the pipeline stops.
import { csvOf, save } from './csv.js'

const DAY = 24 * 60 * 60 * 1000

// A night without changes makes no release and no new pages, only this file.
const root = document.querySelector('.brand').getAttribute('href').replace('index.html', '')
fetch(`${root}asked.json`, { cache: 'no-cache' }).then(answer => answer.json()).catch(() => ({})).then(({ asked_at: asked }) => {
  for (const line of document.querySelectorAll('[data-asked]')) {
    const time = asked ?? line.dataset.asked
    const days = Math.floor((Date.now() - Date.parse(time)) / DAY)
    line.textContent = `Portals last asked ${time.slice(0, 16).replace('T', ' ')} UTC.`
    if (days > 3) {
      line.classList.add('old')
      line.append(` That was ${days} days ago: these figures may be out of date.`)
    }
  }
})

for (const button of document.querySelectorAll('button[data-csv]')) {
  const table = button.closest('details, section, main').querySelector('table[data-table]')
  if (!table) continue
  button.hidden = false
  button.addEventListener('click', () => save(`${table.dataset.table}.csv`, csvOf(table)))
}

for (const controls of document.querySelectorAll('[data-controls]')) controls.hidden = false

// HTML that shows a chart on another site.
for (const code of document.querySelectorAll('[data-embed-code]')) {
  const image = document.createElement('img')
  image.alt = code.dataset.embedTitle
  image.width = 720
  code.value = image.outerHTML.replace('<img', `<img src="${new URL(code.dataset.embedCode, location)}"`)
  code.addEventListener('focus', () => code.select())
  code.closest('[data-embed]').hidden = false
}

// A map leads where the links of the table below it lead; those are the way for a keyboard.
for (const area of document.querySelectorAll('.area[data-href]')) area.addEventListener('click', () => { location.href = area.dataset.href })

// What is folded is printed, too.
addEventListener('beforeprint', () => document.querySelectorAll('details:not(.embed)').forEach(part => { part.open = true }))

for (const input of document.querySelectorAll('input[data-filter]')) {
  const rows = [...document.querySelectorAll(`#${input.dataset.filter} tbody tr`)]
  const count = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`)
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/)
    let shown = 0
    for (const row of rows) {
      row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word))
      shown += !row.hidden
    }
    count.textContent = `${shown.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')} rows`
  }
  input.value = new URLSearchParams(location.search).get('find') ?? ''
  input.addEventListener('input', () => {
    filter()
    const address = new URL(location)
    input.value ? address.searchParams.set('find', input.value) : address.searchParams.delete('find')
    history.replaceState(null, '', address)
  })
  filter()
}
