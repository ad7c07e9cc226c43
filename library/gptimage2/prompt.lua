---@meta gptimage2.prompt
-- luacheck: ignore 212 241

---The prompt builder: `gptimage2.prompt`, also `require("gptimage2.prompt")`. Call it with pieces
---to get a prompt; a prompt given comes back as it is.
---@class gptimage2.PromptModule
---@overload fun(pieces: gptimage2.Pieces|gptimage2.Prompt): gptimage2.Prompt
local prompt = {}

---Is this value a prompt?
---@param value any
---@return boolean
function prompt.is(value) end

---The reference URLs of a prompt, in the order its sentence numbers them.
---@param p gptimage2.Prompt
---@return string[]|nil urls nil without references
function prompt.image_urls(p) end

---A text with placeholders: `prompt.template("a {animal} in {place}")`. Names are letters, digits
---and "_"; "{{" and "}}" stand for a brace.
---@param text string
---@return gptimage2.Template|nil template
---@return gptimage2.Error|nil err code `placeholder_invalid`
function prompt.template(text) end

---Iterates over all combinations: `for p, n in prompt.variants({ subject = {…}, style = {…} }) do`.
---A list holds the alternatives of its piece; an alternative may be a list itself, "" leaves the
---piece out. The last piece changes fastest.
---@param pieces table<string, string|table>
---@return fun(): gptimage2.Prompt|nil, integer|nil next the prompt, and its number from 1
---@return integer total how many there are
function prompt.variants(pieces) end

---Each a string or a list of strings; trimmed, empty ones left out, joined in this order with ", ".
---@class gptimage2.Pieces
---@field subject? string|string[]
---@field style? string|string[]
---@field light? string|string[]
---@field frame? string|string[]
---@field text? string|string[] what must stand in the picture: set in quotes
---@field refs? gptimage2.Refs reference images, each with one purpose

---Each a URL or a list of URLs.
---@class gptimage2.Refs
---@field subject? string|string[] keep this subject
---@field palette? string|string[] use these colors
---@field composition? string|string[] follow this composition
---@field material? string|string[] use this material

---A prompt never changes. `tostring` gives its text, `..` a plain string (which carries no
---references), `==` compares text and references. Its pieces can be read as fields.
---@class gptimage2.Prompt: gptimage2.Pieces
---@operator concat(string|number|gptimage2.Prompt): string
local methods = {}

---A changed copy: each piece given replaces the old one as a whole; "" or {} takes it out.
---@param changes gptimage2.Pieces
---@return gptimage2.Prompt
function methods:with(changes) end

---The finished request: the prompt as a string, its references as `image_urls`, and the fields
---given. The values are checked when the request is used.
---@param fields? gptimage2.RequestFields
---@return gptimage2.Request
function methods:request(fields) end

---The fields of a request but its prompt.
---@class gptimage2.RequestFields
---@field mode? "text-to-image"|"image-to-image"
---@field ratio? string
---@field count? integer
---@field image_urls? string[] not beside refs
---@field style? string
---@field lighting? string
---@field camera? string
---@field negative? string

---Placeholder -> what stands in its place.
---@alias gptimage2.Values table<string, string|number|gptimage2.Prompt>

---Call it with values to get the text; `tostring` gives the template.
---@class gptimage2.Template
---@overload fun(values: gptimage2.Values): string|nil, gptimage2.Error|nil
local template = {}

---The text with every placeholder replaced: the same as calling the template.
---@param values gptimage2.Values
---@return string|nil text
---@return gptimage2.Error|nil err codes `placeholder_missing`, `placeholder_unknown`
function template:fill(values) end

---The names of the placeholders, in the order they first appear.
---@return string[]
function template:names() end

return prompt
