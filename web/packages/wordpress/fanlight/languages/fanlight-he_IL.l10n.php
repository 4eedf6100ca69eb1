<?php
return array(
	'domain'   => 'fanlight',
	'language' => 'he_IL',
	'messages' => array(
		'Fanlight' => 'Fanlight',
		'Gateway' => 'שער',
		'Site' => 'אתר',
		'Position' => 'מיקום',
		'Colour' => 'צבע',
		'Hash' => 'טביעת אצבע',
		'%s does not hold, and stays as it was.' => 'הערך של %s אינו תקין, והקודם נשאר.',
		'The address of your gateway, such as https://chat.example.com.' => 'כתובת השער שלך, למשל https://chat.example.com.',
		'The key of this site in fanlight.toml, such as site_shop.' => 'המפתח של האתר בקובץ fanlight.toml, למשל site_shop.',
		'left or right. Empty: where the page\'s lines end.' => 'left (שמאל) או right (ימין). ריק: במקום שבו נגמרות שורות הדף.',
		'As #rgb or #rrggbb. Empty: the gateway\'s own.' => 'כמו #rgb או #rrggbb. ריק: הצבע של השער.',
		'sha384-… as `fanlight embed` prints it, to run that very loader alone. Empty: always the newest.' => 'sha384-… כפי שהפקודה `fanlight embed` מדפיסה, כדי להריץ רק את הטוען הזה. ריק: תמיד החדש ביותר.',
		'Greetings' => 'ברכות',
		'Voice' => 'קול',
		'Only where a hash is set: the site has greetings in fanlight.toml. Without a hash they come by themselves.' => 'רק כשמוגדרת טביעת אצבע: לאתר יש ברכות בקובץ fanlight.toml. בלי טביעת אצבע הן מופיעות מעצמן.',
		'Visitors may speak their questions. The site\'s setting voice must say so, too.' => 'מבקרים יכולים לשאול בקול. גם ההגדרה voice של האתר צריכה לאפשר זאת.',
	),
);
