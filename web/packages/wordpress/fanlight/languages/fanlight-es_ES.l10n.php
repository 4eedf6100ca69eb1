<?php
return array(
	'domain'   => 'fanlight',
	'language' => 'es_ES',
	'messages' => array(
		'Fanlight' => 'Fanlight',
		'Gateway' => 'Pasarela',
		'Site' => 'Sitio',
		'Position' => 'Posición',
		'Colour' => 'Color',
		'Hash' => 'Huella',
		'%s does not hold, and stays as it was.' => '%s no es válido y queda como estaba.',
		'The address of your gateway, such as https://chat.example.com.' => 'La dirección de tu pasarela, por ejemplo https://chat.example.com.',
		'The key of this site in fanlight.toml, such as site_shop.' => 'La clave de este sitio en fanlight.toml, por ejemplo site_shop.',
		'left or right. Empty: where the page\'s lines end.' => 'left (izquierda) o right (derecha). Vacío: donde terminan las líneas de la página.',
		'As #rgb or #rrggbb. Empty: the gateway\'s own.' => 'Como #rgb o #rrggbb. Vacío: el de la pasarela.',
		'sha384-… as `fanlight embed` prints it, to run that very loader alone. Empty: always the newest.' => 'sha384-… tal como lo muestra `fanlight embed`, para ejecutar solo ese cargador. Vacío: siempre el más reciente.',
		'Greetings' => 'Saludos',
		'Voice' => 'Voz',
		'Only where a hash is set: the site has greetings in fanlight.toml. Without a hash they come by themselves.' => 'Solo si hay una huella: el sitio tiene saludos en fanlight.toml. Sin huella aparecen por sí solos.',
		'Visitors may speak their questions. The site\'s setting voice must say so, too.' => 'Los visitantes pueden hablar para preguntar. El ajuste voice del sitio también debe permitirlo.',
	),
);
