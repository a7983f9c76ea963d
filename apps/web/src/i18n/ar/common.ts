import type { common as english } from '../en/common.ts'
import type { CatalogueOf } from '../index.ts'

export const common: CatalogueOf<typeof english> = {
  'app.name': 'Couplet',

  'common.back': 'رجوع',
  'common.cancel': 'إلغاء',
  'common.close': 'إغلاق',
  'common.copied': 'نُسخ',
  'common.copy': 'نسخ',
  'common.delete': 'حذف',
  'common.optional': 'اختياري',
  'common.retry': 'حاول مرة أخرى',
  'common.save': 'حفظ',
  'common.you': 'نفسك',
  'common.loading': 'جارٍ التحميل…',
  'common.skip': 'انتقل إلى المحادثة',

  'update.ready': 'إصدار جديد جاهز.',
  'update.load': 'حمّله',

  'notification.title': 'رسالة جديدة',

  'announce.message': 'رسالة جديدة من {name}: {text}',

  'error.unreachable': 'الخادم لا يجيب. تحقق من اتصالك ثم حاول مرة أخرى.',
  'error.timed-out': 'تأخر الخادم في الرد. حاول مرة أخرى.',
  'error.rate-limited': 'محاولات كثيرة. حاول بعد {time}.',
  'error.rate-limited.later': 'محاولات كثيرة. حاول لاحقًا.',
  'error.too-many-attempts': 'رموز خاطئة كثيرة. اطلب رمزًا جديدًا.',
  'error.registration-expired': 'هذا الرمز قديم. اطلب رمزًا جديدًا.',
  'error.code-not-sent': 'تعذّر إرسال الرمز. حاول بعد قليل.',
  'error.invalid-phone-number': 'يقول الخادم إن هذا ليس رقم هاتف.',
  'error.unknown-recipient': 'لا أحد مسجّل بهذا الرقم.',
  'error.untrusted-answer': 'جواب الخادم عن هذا الشخص لا يصمد أمام التحقق. لم يُرسل شيء.',
  'error.key-changed': 'تغيّر المفتاح في هذه الأثناء. انظر إلى الجديد.',
  'error.message-too-long': 'هذه الرسالة طويلة جدًا.',
  'error.unauthenticated': 'لم يعد الخادم يعرف هذا المفتاح: سُجّل الرقم في مكان آخر.',
  'error.unreadable-export': 'هذا ليس ملفًا من Couplet، أو أنه تالف.',
  'error.already-registered': 'في هذا المتصفح رقم مسجّل بالفعل.',
  'error.registration-closed':
    'هذا الخادم لا يقبل هذا الرقم. يطلب دعوة، أو لا يقبل إلا أرقامًا يعرفها.',
  'error.client-too-old': 'هذا التطبيق أقدم مما يسمح به الخادم. حمّل الصفحة من جديد.',
  'error.home-locked': 'فُتح Couplet في علامة تبويب أخرى. تابع هناك، أو حمّل هذه الصفحة من جديد.',
  'error.unexpected-answer': 'أجاب الخادم بشيء غير مفهوم. حاول لاحقًا.',
  'error.unknown': 'لم ينجح ذلك ({code}).',
}
