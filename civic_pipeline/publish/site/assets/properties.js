// Find a property by its address, or by block and lot.
import { combobox } from './lookup.js'

combobox({ page: (index, i) => new URLSearchParams({ block: index.blocks[index.of[i]], property: index.properties[i] }) })
