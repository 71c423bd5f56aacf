// The flow of money as a Sankey diagram, drawn from the table of the same figures. On a phone the table stands alone.
import { sankey, sankeyLinkHorizontal } from './d3-sankey.js'
import { dollars, element, shape, short } from './format.js'

const NARROW = 640, ROW = 30
const table = document.querySelector('[data-table=flow]')
const place = table.closest('details')
const figure = element('figure', { class: 'chart flow' })
place.before(figure)
let width = 0
new ResizeObserver(() => {
  const now = Math.min(1100, figure.parentElement.clientWidth)
  if (now === width) return
  width = now
  figure.replaceChildren(...width < NARROW ? [] : [drawn()])
  if (width < NARROW) place.open = true
}).observe(figure.parentElement)

function drawn() {
  const rows = [...table.tBodies[0].rows].map(({ cells }) => ({
    from: cells[0].textContent.trim(), to: cells[1].textContent.trim(), isRevenue: cells[2].textContent.startsWith('revenue'), value: Number(cells[3].dataset.value),
  }))
  const first = rows.some(row => row.isRevenue) ? 0 : 1
  const nodes = new Map()
  // The column is part of a node: one name may be a fund and an agency.
  const node = (name, at) => (nodes.has(`${at} ${name}`) || nodes.set(`${at} ${name}`, { id: `${at} ${name}`, name, at: at - first }), `${at} ${name}`)
  const links = rows.map(row => ({ source: node(row.from, row.isRevenue ? 0 : 1), target: node(row.to, row.isRevenue ? 1 : 2), value: row.value }))
  const last = 2 - first
  const tall = Math.max(...[0, 1, 2].map(at => [...nodes.values()].filter(one => one.at === at).length)) * ROW + 60
  const margin = Math.min(290, width * 0.27)
  const graph = sankey().nodeId(one => one.id).nodeAlign(one => one.at).nodeWidth(10).nodePadding(12)
    .extent([[margin, 8], [width - margin, tall - 8]])({ nodes: [...nodes.values()], links })
  const svg = shape('svg', { viewBox: `0 0 ${width} ${tall}`, role: 'img', 'aria-label': 'Flow of money; the table below has the same figures' })
  const path = sankeyLinkHorizontal()
  for (const link of graph.links) {
    svg.append(shape('path', { d: path(link), class: `flow-link flow${link.source.at + first}`, 'stroke-width': Math.max(1, link.width) },
      shape('title', {}, `${link.source.name} to ${link.target.name}: ${dollars(link.value)}`)))
  }
  for (const one of graph.nodes) {
    const middleOf = (one.y0 + one.y1) / 2, left = one.at === 0, right = one.at === last
    svg.append(shape('rect', { x: one.x0, y: one.y0, width: 10, height: Math.max(1, one.y1 - one.y0), class: `flow-node flow${one.at + first}` },
      shape('title', {}, `${one.name}: ${dollars(one.value)}`)))
    svg.append(shape('text', { x: left ? one.x0 - 8 : one.x1 + 8, y: middleOf + 4, 'text-anchor': left ? 'end' : 'start', 'data-room': left || right ? margin - 12 : 170 },
      `${one.name} ${short(one.value)}`))
  }
  queueMicrotask(() => svg.querySelectorAll('[data-room]').forEach(shorten))
  return svg
}

/** Cut a name that is too long for its margin; the amount stays. */
function shorten(text) {
  const [, name, amount] = text.textContent.match(/^(.*) (-?\$\S+(?: \S+)?)$/) ?? [null, text.textContent, '']
  for (let end = name.length; end > 1 && text.getComputedTextLength() > text.dataset.room; end--) text.textContent = `${name.slice(0, end - 1).trimEnd()}… ${amount}`
}
