// Find a vendor of a city by its name; those paid most come first.
import { short } from './format.js'
import { combobox } from './lookup.js'

combobox({
  page: (index, i) => new URLSearchParams({ vendor: index.names[i] }),
  about: (index, i) => `${short(index.weights[i])}, ${index.rows[i].toLocaleString('en-US')} payment lines`,
})
