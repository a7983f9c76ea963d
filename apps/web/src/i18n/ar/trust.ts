import type { trust as english } from '../en/trust.ts'
import type { CatalogueOf } from '../index.ts'

export const trust: CatalogueOf<typeof english> = {
  'verify.title': 'توثيق {name}',
  'verify.text':
    'امسح الرمز على شاشة {name}، أو قارنا هذه الأرقام الستين وجهًا لوجه أو في مكالمة تثقان بها. إن تطابقت فلا أحد بينكما.',
  'verify.code': 'رمز ليمسحه {name}',
  'verify.digits': 'رقم الأمان',
  'verify.scan': 'امسح رمزه',
  'verify.mark': 'متطابقة',
  'verify.unmark': 'تراجع عن التوثيق',
  'verify.is': '{name} موثّق',
  'verify.is.text': 'لقد قارنت هذا المفتاح. ستُحذَّر قبل أن يذهب شيء إلى مفتاح آخر.',
  'verify.paste': 'ألصق الرقم الذي أُرسل إليك',
  'verify.paste.match': 'الأرقام متطابقة.',
  'verify.paste.short': 'في رقم الأمان ستون رقمًا؛ هذه {count}.',
  'verify.loading': 'جارٍ سؤال الخادم عن المفتاح…',

  'mismatch.title': 'غير متطابقة',
  'mismatch.text':
    'ليس لدى كل منكما، أنت و{name}، مفتاح الآخر الصحيح. ربما يقارن أحدكما مع شخص آخر أو شاشة قديمة. وربما يجلس أحد بينكما ويقرأ.',
  'mismatch.do.1': 'لا تكتب شيئًا مهمًا.',
  'mismatch.do.2': 'تأكدا أن المحادثة مفتوحة عندكما وقارنا مرة أخرى.',
  'mismatch.do.3': 'إن بقي الأمر كذلك فليخبر كل منكما الآخر بطريقة أخرى، واسألا من يدير الخادم.',
  'mismatch.back': 'العودة إلى المحادثة',
  'mismatch.again': 'قارن مرة أخرى',

  'changed.title': 'لدى {name} مفتاح جديد',
  'changed.text': 'هاتف جديد، أم أحد بينكما؟ قارنا الأرقام قبل المتابعة. الإرسال متوقف حتى تقرر.',
  'changed.text.unverified':
    'هاتف جديد أو متصفح جديد على الأرجح. لم تقارنا الأرقام من قبل. الإرسال متوقف حتى تقرر.',
  'changed.compare': 'قارن الأرقام',
  'changed.accept': 'اقبل المفتاح الجديد',
  'changed.accept.title': 'قبول مفتاح {name} الجديد؟',
  'changed.accept.text':
    'ما تكتبه من الآن يستطيع قراءته من يملك هذا المفتاح. إن لم تقارنا الأرقام فأنت تصدّق الخادم.',
  'changed.later': 'ليس الآن',

  'replaced.title': 'بدأ {name} من جديد',
  'replaced.text':
    'المفتاح هو الذي تحققت منه، لكن جهاز {name} نسي محادثتكما: نسخة احتياطية أُعيدت، أو نسخة في أيدٍ أخرى. اسأل {name} بطريقة أخرى. ما تكتبه ينتظر حتى تقرر.',
  'replaced.accept': 'متابعة',
  'replaced.accept.title': 'هل تتابع مع {name}؟',
  'replaced.accept.text': 'سيُرسل ما ينتظر، ويستطيع قراءته من لديه جهاز {name} وبياناته الآن.',
  'scan.title': 'امسح رمزًا',
  'scan.text': 'ضع الرمز أمام الكاميرا.',
  'scan.starting': 'جارٍ تشغيل الكاميرا…',
  'scan.denied': 'الكاميرا غير مسموح بها لهذا الموقع. اسمح بها من إعدادات المتصفح أو اختر صورة.',
  'scan.absent': 'لا كاميرا صالحة في هذا الجهاز. اختر صورة للرمز.',
  'scan.insecure': 'هذه الصفحة ليست على HTTPS، فلا تعطيها المتصفحات الكاميرا. اختر صورة للرمز.',
  'scan.picture': 'اختر صورة',
  'scan.noCode': 'لا رمز في هذه الصورة.',
  'scan.wrong': 'هذا ليس رمزًا لـ Couplet.',
}
